/** A short, seeded part of the fault table (`npm run chaos` is the whole): nothing lost, nothing dangling, sums that add up. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newNamespace } from '../support/events';
import { chaos } from '../support/chaos/chaos';
import { ROWS, type Row } from '../support/chaos/faults';
import { table, violations } from '../support/chaos/table';
import { World } from '../support/chaos/world';
import { testServers } from '../support/servers';
import { seededRandom, type Random } from '../unit/support/random';

const CAMERAS = 4;
const SECONDS = 4;
/** One row of each kind: they do to processes and networks what needs no servers of one's own. */
const KINDS: readonly RegExp[] = [
  /^(store|notifier)-kill$/,
  /^redis-(black-hole|reset|half-open)$/,
  /^rabbitmq-(reset|half-open|slow-reader)$/,
];

function drawRows(random: Random): Row[] {
  return KINDS.map((kind) => random.pick(ROWS.filter(({ name }) => kind.test(name))));
}

describe('under faults', () => {
  let world: World;

  before(async () => {
    const { redisUrl, amqpUrl } = testServers();
    const dir = mkdtempSync(path.join(tmpdir(), 'vigil-chaos-'));
    const namespace = newNamespace();
    world = await World.open({ dir, namespace, cameras: CAMERAS, expireMs: 120_000, redisUrl, amqpUrl });
  });

  after(async () => {
    await world.close();
  });

  test('every captured frame is stored and announced, and the ledger says so', async (t) => {
    const rows = drawRows(seededRandom(t));
    const results = await chaos(world, rows, [SECONDS], (line) => {
      t.diagnostic(line);
    });
    assert.deepEqual(violations(results, CAMERAS), [], table(results));
    assert.equal(results.length, rows.length);
    for (const { captured } of results) assert.ok(captured >= CAMERAS, `${String(captured)} frames captured`);
  });
});
