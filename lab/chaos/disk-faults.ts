/** Rows of the fault table on the disk that frames wait on: full, low, read-only, and frames that cannot be opened. */
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../process';
import type { Row } from './row';
import type { World } from './world';

/** Within this frames flow again that nothing holds up. */
const FLOW_MS = 20_000;

/** Redis is away meanwhile, for as long as what the cameras leave has to wait somewhere: it must be there afterwards. */
async function withoutRedis(
  { redisProxy }: World,
  ms: number,
  meanwhile: () => unknown = () => undefined,
): Promise<void> {
  redisProxy.network = { kind: 'black-hole' };
  await meanwhile();
  await sleep(ms);
  redisProxy.network = { kind: 'sound' };
}

/** With this many bytes left on the disk, the cameras have to do without it. Redis is away for the first half. */
function diskRow(name: string, bytes: number): Row {
  return {
    name,
    needs: 'disk',
    inject: async (world, ms) => {
      world.disk?.leave(bytes);
      await withoutRedis(world, ms / 2);
      await sleep(ms / 2);
      world.disk?.free();
    },
  };
}

/** Frames that wait and cannot be opened (EACCES) are neither lost nor in the way of the others. */
const framesUnreadable: Row = {
  name: 'frames-unreadable',
  needs: 'modes',
  inject: async (world, ms) => {
    const { cameras, spoolDir, consumer } = world;
    const waiting = () => {
      const folders = cameras.map((camera) => path.join(spoolDir, camera));
      const files = folders.flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name)));
      return files.filter((file) => file.endsWith('.jpg'));
    };
    let unreadable: readonly string[] = [];
    await withoutRedis(world, 0, async () => {
      await waitUntil('frames wait', () => waiting().length >= 2 * cameras.length);
      unreadable = waiting();
      for (const file of unreadable) chmodSync(file, 0);
    });
    const seen = consumer.seen.size;
    await Promise.all([
      sleep(ms),
      waitUntil('the others are delivered', () => consumer.seen.size >= seen + cameras.length, ms + FLOW_MS),
    ]);
    // One of each camera had been read before, and has gone.
    const left = unreadable.filter((file) => existsSync(file));
    if (left.length === 0) throw new Error('every frame could be read');
    for (const file of left) chmodSync(file, 0o600);
  },
};

export const diskRows: readonly Row[] = [
  diskRow('disk-full', 0),
  // Below what the shipped configuration leaves free.
  diskRow('disk-low', 200 << 20),
  {
    name: 'disk-read-only',
    needs: 'disk',
    inject: async (world, ms) => {
      world.disk?.makeReadOnly(world.spoolDir);
      await withoutRedis(world, ms / 2);
      await sleep(ms / 2);
      world.disk?.makeWritable(world.spoolDir);
    },
  },
  framesUnreadable,
];
