/** Closing in turn: a step that fails skips none of the others, and every failure is reported. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { closeInTurn } from '../../../src/os/close-in-turn';

describe('closing in turn', () => {
  it('waits for each step before it begins the next', async () => {
    const done: string[] = [];
    const step = (what: string, ms: number) => ({
      what,
      close: async () => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        done.push(what);
      },
    });
    await closeInTurn([step('slow', 20), step('quick', 0)]);
    assert.deepEqual(done, ['slow', 'quick']);
  });

  it('runs the other steps if some fail, at once or later, and names them all', async () => {
    const done: string[] = [];
    const steps = [
      { what: 'the socket', close: () => assert.fail('is a folder') },
      { what: 'the servers', close: () => void done.push('servers') },
      { what: 'the ledger', close: () => Promise.reject(new Error('no space left')) },
      { what: 'the lock', close: () => void done.push('lock') },
    ];
    await assert.rejects(closeInTurn(steps), {
      message: 'the socket: is a folder; the ledger: no space left',
    });
    assert.deepEqual(done, ['servers', 'lock']);
  });
});
