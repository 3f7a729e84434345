/** A consumer's host: that it is frozen or cut off from the others is noticed, and that an idle queue is neither. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { troubleOfHost, type WatchedHost } from '../../../src/consumer/host-watch';

const LONG_MS = 60_000;
const sound: WatchedHost = {
  waiting: () => Promise.resolve(0),
  waitingElsewhere: () => Promise.resolve(0),
  idleMs: () => LONG_MS,
};

describe('the host of a consumer', { concurrency: true }, () => {
  it('is left when it does not answer', async () => {
    const frozen = { ...sound, waiting: () => new Promise<number>(() => undefined) };
    assert.match((await troubleOfHost(frozen, AbortSignal.timeout(LONG_MS))) ?? '', /^has not answered/);
  });

  it('is left when it delivers nothing while another host says that messages wait', async () => {
    const cut = { ...sound, waitingElsewhere: () => Promise.resolve(7) };
    const trouble = await troubleOfHost(cut, AbortSignal.timeout(LONG_MS));
    assert.match(trouble ?? '', /delivers nothing, while 7 messages wait/);
  });

  for (const [title, host] of [
    ['nothing waits anywhere', sound],
    ['frames come', { ...sound, idleMs: () => 0, waitingElsewhere: () => Promise.resolve(7) }],
    ['it knows itself that messages wait', { ...sound, waiting: () => Promise.resolve(7) }],
    ['no other host answers', { ...sound, waitingElsewhere: () => Promise.reject(new Error('refused')) }],
  ] as const)
    it(`is kept when ${title}`, async () => {
      assert.equal(await troubleOfHost(host, AbortSignal.timeout(5000)), undefined);
    });
});
