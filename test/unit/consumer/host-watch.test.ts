/** A consumer's host: one that is frozen or isolated is detected, and an idle queue is not mistaken for either. */
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { turn } from '../../../lab/until';
import { troubleOfHost, type WatchedHost } from '../../../src/consumer/host-watch';

const LONG_MS = 60_000;
const WATCHED_MS = 15_000;
const STEP_MS = 250;
const sound: WatchedHost = {
  waiting: () => Promise.resolve(0),
  waitingElsewhere: () => Promise.resolve(0),
  idleMs: () => LONG_MS,
};

/** What is wrong with the host that is watched for {@link WATCHED_MS}. */
async function watched(host: WatchedHost): Promise<string | undefined> {
  const end = new AbortController();
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const trouble = troubleOfHost(host, end.signal);
    for (let passedMs = 0; passedMs < WATCHED_MS; passedMs += STEP_MS) {
      mock.timers.tick(STEP_MS);
      await turn();
    }
    end.abort();
    return await trouble;
  } finally {
    mock.timers.reset();
  }
}

describe('the host of a consumer', () => {
  it('is left when it does not answer', async () => {
    const frozen = { ...sound, waiting: () => new Promise<number>(() => undefined) };
    assert.match((await watched(frozen)) ?? '', /^has not answered/);
  });

  it('is left when it delivers nothing while another host says that messages wait', async () => {
    const cut = { ...sound, waitingElsewhere: () => Promise.resolve(7) };
    const trouble = await watched(cut);
    assert.match(trouble ?? '', /delivers nothing, while 7 messages wait/);
  });

  for (const [title, host] of [
    ['nothing waits anywhere', sound],
    ['frames come', { ...sound, idleMs: () => 0, waitingElsewhere: () => Promise.resolve(7) }],
    ['it knows itself that messages wait', { ...sound, waiting: () => Promise.resolve(7) }],
    ['no other host answers', { ...sound, waitingElsewhere: () => Promise.reject(new Error('refused')) }],
  ] as const)
    it(`is kept when ${title}`, async () => {
      assert.equal(await watched(host), undefined);
    });
});
