/** One row of the fault table: the fault, the recovery from it, and the fate of every frame. */
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { readLedger } from '../../src/ledger/files';
import { summarize } from '../../src/ledger/summary';
import { percentile } from '../percentile';
import { waitUntil } from '../process';
import type { Row } from './row';
import type { PeakMemory } from './memory-watch';
import type { Captured } from './spool-witness';
import { longestGap } from './longest-gap';
import { ServerWitness } from './server-witness';
import type { World } from './world';

const LEDGER_MS = 10_000;

export interface RowResult {
  readonly row: string;
  readonly seconds: number;
  /** Sampling periods from the row's begin to its end, all cameras together. */
  readonly periods: number;
  readonly captured: number;
  readonly confirmed: number;
  readonly lost: readonly string[];
  readonly repeated: number;
  readonly dangling: readonly string[];
  readonly damaged: readonly string[];
  readonly heldTooLong: number;
  /** Frames that were consumed and that the ledger does not call confirmed. */
  readonly ledgerOff: number;
  /** Cameras whose four sums do not add up to their periods. */
  readonly sumsOff: readonly string[];
  readonly peak: PeakMemory;
  /** The longest that a camera went without a delivered frame, from the fault on, milliseconds. */
  readonly silenceMs: number;
  /** The longest time for which the servers themselves served no client meanwhile; undefined where that was not watched. */
  readonly serversMs: number | undefined;
  /** How long a camera may go without a delivered frame where the servers serve again by then. */
  readonly maxSilenceMs: number;
  /** Milliseconds from the end of the fault until nothing waits and every camera has delivered a new frame; undefined when that did not come. */
  readonly recoveryMs: number | undefined;
  /** From capture to the consumer, 95th percentile of the frames captured while the backlog followed: NaN when there were none. */
  readonly liveP95Ms: number;
}

export interface RowTimes {
  readonly seconds: number;
  /** Frames seen since then belong to the row. */
  readonly fromMs: number;
  /** What takes longer is lost. */
  readonly recoveryMs: number;
}

export async function runRow(
  world: World,
  row: Row,
  { seconds, fromMs, recoveryMs: patienceMs }: RowTimes,
): Promise<RowResult & { untilMs: number }> {
  const { consumer, memory } = world;
  const before = counts(world);
  const servers = await witnessOf(world, row);
  memory.takePeak();
  const begunMs = performance.now();
  await row.inject(world, seconds * 1000);
  const healedMs = performance.now();
  const recoveryMs = await recovery(world, fromMs, healedMs, patienceMs);
  const untilMs = performance.now();
  const frames = between(world, fromMs, untilMs);
  const missing = () => frames.filter(({ id }) => !consumer.seen.has(id));
  await waitUntil('all is delivered', () => missing().length === 0, patienceMs).catch(() => undefined);
  const after = counts(world);
  servers?.close();
  const confirmed = frames.filter(({ id }) => consumer.seen.has(id));
  return {
    untilMs,
    row: row.name,
    seconds,
    periods: Math.floor((untilMs - fromMs) / 1000) * world.cameras.length,
    captured: frames.length,
    confirmed: confirmed.length,
    lost: missing().map(({ id }) => id),
    repeated: after.repeated - before.repeated,
    dangling: consumer.dangling.slice(before.dangling),
    damaged: consumer.damaged.slice(before.damaged),
    heldTooLong: after.heldTooLong - before.heldTooLong,
    ...(await compareLedger(world, confirmed)),
    peak: memory.takePeak(),
    silenceMs: silence(world, begunMs, untilMs),
    serversMs: servers?.outageMs(begunMs, untilMs),
    maxSilenceMs: row.maxSilenceMs ?? Infinity,
    recoveryMs,
    liveP95Ms: percentile(liveDelays(world, frames, healedMs), 0.95),
  };
}

function silence({ consumer, cameras }: World, fromMs: number, untilMs: number): number {
  const times = new Map(cameras.map((camera): [string, number[]] => [camera, []]));
  for (const [id, atMs] of consumer.receivedMs) times.get(consumer.seen.get(id)?.camera ?? '')?.push(atMs);
  return Math.max(...[...times.values()].map((of) => longestGap(of, fromMs, untilMs)));
}

/** Only where servers are to replace each other while the fault lasts. */
async function witnessOf({ options }: World, { maxSilenceMs }: Row): Promise<ServerWitness | undefined> {
  const { brokers, redisGroup } = options;
  if (maxSilenceMs === undefined) return undefined;
  if (brokers !== undefined) return ServerWitness.ofBrokers(brokers);
  return redisGroup === undefined ? undefined : ServerWitness.ofRedis(redisGroup);
}

/** Delays of the frames captured once a frame from after the fault had been delivered: until then, the backlog is delivered. */
function liveDelays({ consumer }: World, frames: readonly Identified[], healedMs: number): number[] {
  const received = (id: string) => consumer.receivedMs.get(id) ?? Infinity;
  const fresh = frames.filter(({ seenMs }) => seenMs >= healedMs);
  const flowsMs = Math.min(...fresh.map(({ id }) => received(id)));
  return fresh.filter(({ seenMs }) => seenMs > flowsMs).map(({ id, seenMs }) => received(id) - seenMs);
}

function counts({ consumer }: World) {
  const { repeated, dangling, damaged, heldTooLong } = consumer;
  return { repeated, dangling: dangling.length, damaged: damaged.length, heldTooLong };
}

type Identified = Captured & { readonly id: string };

function between({ witness }: World, fromMs: number, untilMs: number): Identified[] {
  return [...witness.captured]
    .filter(([, { seenMs }]) => seenMs >= fromMs && seenMs < untilMs)
    .map(([id, captured]) => ({ id, ...captured }));
}

async function recovery(
  world: World,
  fromMs: number,
  healedMs: number,
  patienceMs: number,
): Promise<number | undefined> {
  const { consumer, cameras } = world;
  const isSeen = ({ id }: Identified) => consumer.seen.has(id);
  const isOver = () => {
    const fresh = between(world, healedMs, Infinity).filter(isSeen);
    const flowing = new Set(fresh.map(({ frame }) => frame.camera));
    return flowing.size === cameras.length && between(world, fromMs, healedMs).every(isSeen);
  };
  try {
    await waitUntil('all flows', isOver, patienceMs);
    return performance.now() - healedMs;
  } catch {
    return undefined;
  }
}

/** Looks until the ledger has caught up, or for ten seconds. */
async function compareLedger(world: World, confirmed: readonly Identified[]) {
  const dir = path.join(world.dataDir, 'ledger');
  let found = { ledgerOff: confirmed.length, sumsOff: [] as string[] };
  const agrees = async () => {
    const record = await readLedger(dir, 0);
    const states = ({ frame: { camera, sequence } }: Identified) =>
      record.accounts
        .filter(({ id }) => id.camera === camera)
        .map(({ runs }) => runs.fateAt(sequence)?.state);
    const sum = (counted: Readonly<Record<string, number>>) =>
      Object.values(counted).reduce((a, b) => a + b, 0);
    found = {
      ledgerOff: confirmed.filter((frame) => !states(frame).includes('confirmed')).length,
      sumsOff: summarize(record, 0)
        .cameras.filter((of) => of.periods !== of.confirmed + of.waiting + sum(of.dropped) + sum(of.gap))
        .map(({ camera }) => camera),
    };
    return found.ledgerOff === 0 && found.sumsOff.length === 0;
  };
  await waitUntil('the ledger agrees', agrees, LEDGER_MS).catch(() => undefined);
  return found;
}
