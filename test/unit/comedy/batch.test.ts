import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Batch } from '../../../src/comedy/batch';

describe('a batch', () => {
  it('sends what was added in one turn together, in order, and what comes later separately', async () => {
    const sent: (readonly number[])[] = [];
    const batch = new Batch<number>((messages) => sent.push(messages));
    batch.add(1);
    queueMicrotask(() => batch.add(2));
    assert.deepEqual(sent, []);
    await turn();
    assert.deepEqual(sent, [[1, 2]]);
    await turn();
    batch.add(3);
    await turn();
    assert.deepEqual(sent, [[1, 2], [3]]);
  });

  it('keeps what is added while it is sent for the next batch', async () => {
    const sent: (readonly number[])[] = [];
    const batch = new Batch<number>((messages) => {
      sent.push(messages);
      if (messages.includes(1)) batch.add(2);
    });
    batch.add(1);
    await turn();
    await turn();
    assert.deepEqual(sent, [[1], [2]]);
  });
});
