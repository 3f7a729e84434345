/** Errors, and the records they travel as. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExitFault, Fault, faultRecord } from '../../../src/fault/fault';

describe('a fault', () => {
  it('of a record has its code, its sentence and the cause given with it', () => {
    const cause = new Error('ECONNRESET');
    const fault = Fault.from({ code: 'closed', message: 'closed the connection' }, { cause });
    assert.ok(fault instanceof Fault);
    assert.deepEqual([fault.code, fault.message, fault.cause], ['closed', 'closed the connection', cause]);
  });

  it('is unchanged after a round trip as a record', () => {
    const record = { code: 'closed', message: 'closed the connection' };
    assert.deepEqual(faultRecord(Fault.from(record), 'other'), record);
    assert.deepEqual(faultRecord(new ExitFault('usage', 'too many arguments'), 'other'), {
      code: 'usage',
      message: 'too many arguments',
    });
  });

  it('can be made from anything thrown, with the code that the caller gives', () => {
    assert.deepEqual(faultRecord(new TypeError('x is undefined'), 'start'), {
      code: 'start',
      message: 'x is undefined',
    });
    assert.deepEqual(faultRecord('gone', 'start'), { code: 'start', message: 'gone' });
  });
});
