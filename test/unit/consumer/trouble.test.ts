/** Which errors of a handler are the consumer's own trouble. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { ConsumerError } from '../../../src/consumer/fault';
import { troubleOf } from '../../../src/consumer/trouble';

describe('trouble', () => {
  const system = (code: string) => Object.assign(new Error(`${code}: said by the system`), { code });
  for (const code of Object.keys(constants.errno))
    it(`is what the system calls ${code}, whatever wraps it`, () => {
      assert.equal(troubleOf(system(code))?.code, 'paused');
      const wrapped = new Error('the model was not asked', {
        cause: new Error('deeper', { cause: system(code) }),
      });
      assert.equal(troubleOf(wrapped)?.kind, code);
      const saving = new ConsumerError('output-failed', 'cannot save', { cause: system(code) });
      assert.equal(troubleOf(saving)?.code, 'output-failed');
    });

  const others: readonly { what: string; error: unknown; kind: string | undefined }[] = [
    {
      what: 'a fetch() that finds nobody',
      error: new TypeError('fetch failed', { cause: system('ECONNREFUSED') }),
      kind: 'ECONNREFUSED',
    },
    {
      what: 'a host with several addresses',
      error: new AggregateError([system('ECONNREFUSED')]),
      kind: 'ECONNREFUSED',
    },
    { what: 'a host name that is not found', error: system('ENOTFOUND'), kind: 'ENOTFOUND' },
    {
      what: 'a connection that times out',
      error: system('UND_ERR_CONNECT_TIMEOUT'),
      kind: 'UND_ERR_CONNECT_TIMEOUT',
    },
    {
      what: 'a Redis of its own without a disk',
      error: new Error('MISCONF Redis is configured to save RDB snapshots'),
      kind: 'MISCONF',
    },
    { what: 'no ffmpeg', error: new ConsumerError('no-ffmpeg', 'cannot be run'), kind: 'no-ffmpeg' },
    { what: 'what says that it is one', error: system('pause'), kind: 'pause' },
    { what: 'no memory', error: new RangeError('Array buffer allocation failed'), kind: 'ENOMEM' },
    { what: 'nothing in particular', error: new Error('no faces found'), kind: undefined },
    {
      what: 'an unsafe camera',
      error: new ConsumerError('output-failed', 'not safe in a path'),
      kind: undefined,
    },
    { what: 'a text', error: 'ENOSPC', kind: undefined },
    { what: 'nothing', error: undefined, kind: undefined },
  ];
  for (const { what, error, kind } of others)
    it(`of ${what} is ${kind ?? 'none'}`, () => assert.equal(troubleOf(error)?.kind, kind));

  it('in a circle of causes comes to an end', () => {
    const error = new Error('a');
    error.cause = new Error('b', { cause: error });
    assert.equal(troubleOf(error), undefined);
  });
});
