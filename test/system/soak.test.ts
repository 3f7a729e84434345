/** A short soak; `npm run soak` does the same for any duration, with the seed printed here. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { newNamespace, remoteServers } from '../../lab/events';
import { soak, TRIED_SOON } from '../../lab/soak/soak';

test('random faults in random processes leave no orphan, no zombie and nothing that hinders the next start', async (t) => {
  const seed = Number(process.env['VIGIL_TEST_SEED'] ?? randomInt(2 ** 31));
  t.diagnostic(`VIGIL_TEST_SEED=${seed}`);
  const faults = await soak({
    seed,
    kills: 20,
    minutes: Infinity,
    calmEvery: Infinity,
    config: {
      namespace: newNamespace(),
      rabbitmq: remoteServers().rabbitmq,
      actors: TRIED_SOON,
      cameras: ['one', 'two'].map((id) => ({ id, test: 'testsrc2', width: 160 })),
    },
    say: (line) => t.diagnostic(line),
  });
  assert.deepEqual(faults, []);
});
