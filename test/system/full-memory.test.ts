/** Redis without free memory: one that evicts announced frames, and an embedded one without a consumer. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import Redis from 'ioredis';
import { deadLetterName, defaultQueue, frameExchange } from '../../src/contract/broker-names';
import { MAIN, startDaemon } from '../../lab/daemon';
import { newNamespace, remoteServers } from '../../lab/events';
import { waitUntil } from '../../lab/process';
import { startRedis } from '../../lab/redis';

const MIB = 1024 * 1024;

/** About a megabyte a second. */
const cameras = Array.from({ length: 4 }, (_, i) => ({
  id: `cam${i}`,
  test: 'testsrc2',
  format: 'png',
  rate: 5,
}));

function bytesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(path.join(folder, name), { throwIfNoEntry: false }))
    .reduce((sum, stat) => sum + (stat?.isFile() === true ? stat.size : 0), 0);
}

async function removeTopology(namespace: string): Promise<void> {
  const connection = await connect(remoteServers().rabbitmq);
  const channel = await connection.createChannel();
  const queue = defaultQueue(namespace);
  for (const name of [queue, deadLetterName(queue)]) await channel.deleteQueue(name);
  for (const name of [frameExchange(namespace), deadLetterName(queue)]) await channel.deleteExchange(name);
  await connection.close();
}

describe('a Redis without free memory', () => {
  it('that evicts frames is reported at the start, and its evictions are reported and counted', async (t) => {
    const evicting = await startRedis(['maxmemory 6mb', 'maxmemory-policy allkeys-lru', 'save ""']);
    const { servers } = evicting;
    t.after(() => evicting.stop());
    const namespace = newNamespace();
    t.after(() => removeTopology(namespace));
    const { rabbitmq } = remoteServers();
    const daemon = startDaemon({ config: { namespace, redis: servers[0]?.url, rabbitmq, cameras } });
    t.after(() => daemon.stop());
    await daemon.said(
      /evicts keys when its memory is full \(maxmemory-policy allkeys-lru\), announced frames too/,
    );
    await daemon.said(/evicted \d+ keys because its memory is full/);
    const ledger = async () => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...[MAIN, 'ledger', '--config', path.join(daemon.dir, 'actors.json')],
      ]);
      return /^evicted: Redis removed (\d+) keys/m.exec(stdout)?.[1];
    };
    await waitUntil('the ledger counts them', async () => Number(await ledger()) > 0, 30_000);
  });

  it('embedded in a daemon without consumers fills neither memory nor disk, and says so', async (t) => {
    const namespace = newNamespace();
    t.after(() => removeTopology(namespace));
    const maxMemoryBytes = 16 * MIB;
    const daemon = startDaemon({
      config: {
        namespace,
        redis: { embedded: true, maxMemoryBytes },
        rabbitmq: remoteServers().rabbitmq,
        spool: { maxBytes: MIB },
        cameras,
      },
    });
    t.after(() => daemon.stop());
    await daemon.said(/uses \d+ MiB of its maxmemory of 16 MiB; frames that no consumer takes/);
    await daemon.said(/is out of memory/);
    const dropped = await daemon.said(/dropped/);
    assert.match(dropped.message, /spool/);

    const endpoints = JSON.parse(readFileSync(path.join(daemon.dataDir, 'endpoints.json'), 'utf8')) as {
      redis: string;
    };
    const redis = new Redis(endpoints.redis);
    redis.on('error', () => undefined);
    t.after(() => redis.disconnect());
    const used = Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
    assert.ok(used < maxMemoryBytes + 4 * MIB, `Redis uses ${used} bytes`);
    assert.ok(bytesBelow(path.join(daemon.dataDir, 'spool')) < 3 * MIB, 'the spool is bounded');
    assert.ok(bytesBelow(daemon.dataDir) < 8 * maxMemoryBytes, 'the data directory is bounded');

    // Frames are removed, as consumers do.
    await redis.unlink(await redis.keys(`${namespace}:frame:*`));
    const stored = async () => (await redis.keys(`${namespace}:frame:*`)).length;
    await waitUntil('frames are delivered again', async () => (await stored()) > 10, 30_000);
  });
});
