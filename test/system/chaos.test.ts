/** A short, seeded part of the fault table (`npm run chaos` is the whole): nothing lost, nothing dangling, sums that add up. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newNamespace, withRedis } from '../../lab/events';
import { chaos } from '../../lab/chaos/chaos';
import { ROWS } from '../../lab/chaos/faults';
import type { Row } from '../../lab/chaos/row';
import { table, violations } from '../../lab/chaos/table';
import { World } from '../../lab/chaos/world';
import { waitUntil } from '../../lab/process';
import { testServers } from '../../lab/servers';
import { seededRandom, type Random } from '../../lab/random';

const CAMERAS = 4;
const SECONDS = 4;
/** One row of each kind; all of them work on shared servers. */
const KINDS: readonly RegExp[] = [
  /^(store|notifier)-kill$/,
  /^redis-(black-hole|reset|half-open)$/,
  /^rabbitmq-(reset|half-open|slow-reader)$/,
  /^frames-unreadable$/,
];

function drawRows(random: Random): Row[] {
  return KINDS.map((kind) => random.pick(ROWS.filter(({ name }) => kind.test(name))));
}

/** A loss that no fault may cause, produced on purpose: a harness that does not detect it proves nothing. */
const SABOTAGE: Row = {
  name: 'sabotage',
  inject: async ({ consumer, redisProxy, dataDir, options: { namespace } }) => {
    await consumer.pause();
    const keys = async () => withRedis((redis) => redis.keys(`${namespace}:frame:cam0:*`));
    // The store may still await the answer for the newest frame, and would write it again.
    await waitUntil('two frames wait for their consumer', async () => (await keys()).length > 1);
    redisProxy.network = { kind: 'black-hole' };
    const folder = path.join(dataDir, 'spool', 'cam1');
    const files = () => readdirSync(folder).filter((name) => name.endsWith('.jpg'));
    await waitUntil('frames wait in the spool', () => files().length >= 3);
    rmSync(path.join(folder, files()[1] ?? ''));
    await withRedis(async (redis) => redis.unlink(await keys()));
    redisProxy.network = { kind: 'sound' };
    consumer.resume();
  },
};

describe('under faults', () => {
  let world: World;

  before(async () => {
    const { redisUrl, amqpUrl } = testServers();
    world = await World.open({
      dir: mkdtempSync(path.join(tmpdir(), 'vigil-chaos-')),
      namespace: newNamespace(),
      cameras: CAMERAS,
      expireMs: 120_000,
      redisUrl,
      amqpUrl,
    });
  });

  after(async () => {
    await world.close();
  });

  test('every captured frame is stored and announced, and the ledger says so', async (t) => {
    const rows = drawRows(seededRandom(t)).filter(({ needs }) => needs !== 'modes' || world.obeysModes);
    const results = await chaos(world, rows, [SECONDS], {
      recoveryMs: 30_000,
      say: (line) => t.diagnostic(line),
    });
    assert.deepEqual(violations(results, CAMERAS), [], table(results));
    assert.equal(results.length, rows.length);
    for (const { captured } of results) assert.ok(captured >= CAMERAS, `${captured} frames captured`);
  });

  test('the removal of a frame from the spool or from Redis by someone else is detected', async () => {
    const [result] = await chaos(world, [SABOTAGE], [0], { recoveryMs: 6000, say: () => undefined });
    assert.ok(result);
    assert.equal(result.lost.length, 1, table([result]));
    assert.match(result.lost[0] ?? '', /^cam1-/);
    assert.ok(result.dangling.length > 0, table([result]));
    for (const key of result.dangling) assert.match(key, /:frame:cam0:/);
    assert.ok(violations([result], CAMERAS).length >= 2);
  });
});
