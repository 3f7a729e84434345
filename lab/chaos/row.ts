/** A row of the fault table: what is done to the world, for how long, and how it is undone. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from './world';

/** A process that is killed is killed again so often while the fault lasts. */
const KILL_EVERY_MS = 10_000;

export type Need = 'servers' | 'disk' | 'modes' | 'rabbitmq-cluster' | 'redis-sentinel' | 'redis-cluster';

export interface Row {
  readonly name: string;
  /** What the row needs beside a daemon and proxies; if that is missing, the row is skipped. */
  readonly needs?: Need;
  /** Fixed length, whatever --seconds says. */
  readonly seconds?: number;
  readonly onlyNamed?: true;
  /** No camera may go without a delivered frame for longer, though the fault lasts. */
  readonly maxSilenceMs?: number;
  /** Lasts for `ms`; all is sound again when it resolves. */
  readonly inject: (world: World, ms: number) => Promise<void>;
}

export function serversOf({ options: { servers } }: World): NonNullable<World['options']['servers']> {
  if (servers === undefined) throw new Error('this row needs servers of its own');
  return servers;
}

/** At once, and again for as long as the fault lasts. */
export async function repeatedly(ms: number, act: () => unknown): Promise<void> {
  const endMs = performance.now() + ms;
  for (;;) {
    await act();
    const leftMs = endMs - performance.now();
    await sleep(Math.max(0, Math.min(leftMs, KILL_EVERY_MS)));
    if (leftMs <= KILL_EVERY_MS) return;
  }
}
