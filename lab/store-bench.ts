/** A store on a real Redis, before a broker that confirms everything. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext } from 'node:test';
import startStore from '../src/actors/store/actor';
import { frameId, type Frame } from '../src/contract/frame';
import { frameKey } from '../src/contract/key';
import type { ActorReport, StoreParameters } from '../src/protocol/messages';
import { openRedis, type RedisClient } from '../src/connections/redis';
import { Spool } from '../src/spool/spool';
import { waitUntil } from './process';
import { startRedis } from './redis';
import { type RedisServer } from './redis';

const PICTURE = Buffer.alloc(50_000, 'x');

export interface StoreBench {
  readonly lines: readonly string[];
  readonly delivered: ReadonlySet<number>;
  /** Spools one frame per camera and notifies the store, as cameras do. */
  spool(...times: number[]): Promise<void>;
  /** Waits until all are delivered, and looks for each in Redis. */
  arrived(times: readonly number[]): Promise<void>;
  /** Ends the store, and starts it again on its spool. */
  restart(): Promise<void>;
  faultCodes(): readonly string[];
  confirmed(): Promise<string[]>;
}

/** A store with a broker that confirms everything. */
export async function openStore(
  t: TestContext,
  redisUrl: string,
  changes: Partial<StoreParameters> = {},
): Promise<StoreBench> {
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-redis-store-'));
  const spool = new Spool(dir);
  const lines: string[] = [];
  const codes: string[] = [];
  const delivered = new Set<number>();
  const client: RedisClient = openRedis(redisUrl, { retryStrategy: () => 200, commandTimeout: 3000 });
  client.on('error', () => undefined);
  const write = (message: string, fields?: Readonly<Record<string, unknown>>) => {
    lines.push(message);
    if (typeof fields?.['code'] === 'string') codes.push(fields['code']);
  };
  const context: Parameters<typeof startStore>[0] = {
    parameters: {
      holder: { id: randomUUID(), name: 'daemon of this test' },
      redisUrl,
      namespace: 'v',
      expireMs: 60_000,
      spoolDir: dir,
      durability: 'memory',
      spool: {
        maxBytes: 1e9,
        maxAgeMs: 3_600_000,
        maxFrames: 10_000,
        minFreeBytes: 0,
        replay: 'oldest-first',
        replayRate: 1000,
      },
      drainMs: 500,
      ...changes,
    },
    log: { error: write, warn: write, info: write, debug: write },
    report: (report: ActorReport) => {
      if (report.kind === 'announce')
        setImmediate(() => actor.receive({ kind: 'announced', id: frameId(report.frame) }));
      if (report.kind === 'delivered') for (const { sequence } of report.frames) delivered.add(sequence);
    },
  };
  let actor = startStore(context);
  t.after(async () => {
    await actor.stop();
    client.disconnect();
    await rm(dir, { recursive: true });
  });
  return {
    lines,
    delivered,
    faultCodes: () => codes,
    restart: async () => {
      await actor.stop();
      actor = startStore(context);
    },
    spool: async (...times) => {
      for (const time of times) {
        const frame = frameOf(time);
        await spool.write(frame, PICTURE);
        actor.receive({ kind: 'frame', frame });
      }
    },
    arrived: async (times) => {
      await waitUntil('all are delivered', () => times.every((time) => delivered.has(time)), 30_000).catch(
        (error: unknown) => {
          throw new Error(`${(error as Error).message}; it said:\n${lines.join('\n')}`);
        },
      );
      const isThere = (time: number) =>
        client.exists(frameKey('v', frameOf(time))).catch((error: unknown) => String(error));
      // Our own connection may have to follow a failover, too.
      await waitUntil('Redis answers', async () => typeof (await isThere(0)) === 'number');
      for (const time of times) assert.equal(await isThere(time), 1, `frame ${time} is in Redis`);
    },
    confirmed: async () => {
      const cameras = await readdir(dir);
      const names = cameras.map((camera) => readdir(path.join(dir, camera, 'confirmed')).catch(() => []));
      return (await Promise.all(names)).flat();
    },
  };
}

const START = Date.now();

export function frameOf(time: number): Frame {
  return {
    camera: `cam${time % 8}`,
    capturedAt: START + time,
    sequence: time,
    width: 1,
    height: 1,
    format: 'jpeg',
    bytes: PICTURE.length,
  };
}

export function times(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** Spools frames until `over`, ten a second; resolves with those spooled. */
export async function spoolWhile(
  bench: StoreBench,
  first: number,
  over: () => Promise<void>,
): Promise<number[]> {
  const state = { over: false };
  const ending = over().finally(() => {
    state.over = true;
  });
  ending.catch(() => undefined);
  const spooled: number[] = [];
  for (let time = first; !state.over; time++) {
    await bench.spool(time);
    spooled.push(time);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await ending;
  return spooled;
}

/** A Redis of one server, gone when the test ends. */
export async function onlyServer(t: TestContext, options: readonly string[]): Promise<RedisServer> {
  const redis = await startRedis(options);
  t.after(() => redis.stop());
  return redis.servers[0] ?? assert.fail('no server');
}
