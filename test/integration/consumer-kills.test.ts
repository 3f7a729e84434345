/** Consumers of each kit and mode, killed at random moments, keep the guarantees of docs/consumers.md. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { runKills, type KillTrial } from '../../lab/consumer-kills';
import { seededRandom } from '../../lab/random';
import { testServers } from '../../lab/servers';

const FRAMES = 100;
/** Longer than any test takes, even on a busy machine. */
const LIFE_MS = 600_000;

describe('consumers that are killed at random moments', { concurrency: 2 }, () => {
  for (const [removal, kits, isShared] of [
    ['after', ['python']],
    ['after', ['typescript']],
    ['getdel', ['python']],
    ['getdel', ['typescript']],
    ['keep', ['python', 'typescript', 'either']],
    ['after', ['python', 'typescript', 'either'], true],
  ] as const)
    it(`keep the guarantees: "${removal}", ${kits.join(', ')}${isShared === true ? ', who all must have each frame' : ''}`, async (t) => {
      const namespace = `test-${randomBytes(6).toString('hex')}`;
      const given = { removal, kits, frames: FRAMES, lifeFrames: 50, lifeMs: LIFE_MS, namespace };
      const trial: KillTrial = { ...given, isShared: isShared === true };
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
