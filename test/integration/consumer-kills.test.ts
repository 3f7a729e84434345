/** Consumers that are killed at random moments, in each mode and of each kit: the guarantees of docs/consumers.md. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { runKills, type KillTrial } from '../../lab/consumer-kills';
import { seededRandom } from '../../lab/random';
import { testServers } from '../../lab/servers';

const FRAMES = 150;

describe('consumers that are killed at random moments', { concurrency: 2 }, () => {
  for (const kit of ['python', 'typescript'] as const)
    for (const [removal, services] of [
      ['after', 1],
      ['getdel', 1],
      ['keep', 3],
    ] as const)
      it(`${kit}, "${removal}", ${services} of them`, async (t) => {
        const namespace = `test-${randomBytes(6).toString('hex')}`;
        const trial: KillTrial = { kit, removal, services, frames: FRAMES, lifeFrames: 80, namespace };
        const found = await runKills(trial, testServers(), seededRandom(t));
        t.diagnostic(`${found.kills} kills`);
        assert.ok(found.kills > 0);
        assert.equal(found.deadLetters, 0);
        for (const [i, done] of found.done.entries()) {
          if (removal === 'getdel') {
            const twice = [...(found.begun[i]?.values() ?? [])].filter((count) => count > 1);
            assert.deepEqual(twice, [], 'no frame is worked on twice');
            assert.ok(done.size >= FRAMES - 8 * found.kills, `${done.size} frames`);
          } else {
            assert.equal(done.size, FRAMES, 'no frame is lost');
            assert.equal(found.unmarked, 0, 'a repeat is marked as one');
          }
        }
        assert.equal(found.everlasting, 0, 'no key is left for ever');
        if (removal !== 'keep') assert.equal(found.keys, 0, 'no key is left');
      });
});
