/** Runs the rows of the fleet's fault table one after the other, and reports the result of each. */
import path from 'node:path';
import { REDIS_SCHEMES } from '../../src/connections/redis-address';
import { readServerUrl } from '../../src/consumer/server-url';
import { StoreLink } from '../../src/consumer/store-link';
import type { Coverage, Summary } from '../../src/ledger/summary';
import { MAIN } from '../daemon';
import type { Fleet } from '../fleet';
import { run, waitUntil } from '../process';
import type { FleetRow } from './fleet-rows';
import type { FleetStage } from './fleet-stage';

export interface FleetResult {
  readonly row: string;
  readonly times: number;
  /** Sampling periods of all cameras, by the fleet's ledger. */
  readonly captured: number;
  readonly confirmed: number;
  readonly lost: number;
  readonly missed: number;
  /** Periods with two announced pictures. */
  readonly twice: number;
  /** Messages that a node sent again, with the same id: it did not know whether they had arrived. */
  readonly repeated: number;
  /** Announced keys that are not in Redis. */
  readonly dangling: number;
  /** From the loss of a node to the next announced picture of each of its cameras, milliseconds. */
  readonly takeOverMs: readonly number[];
  readonly moves: number;
  /** What else was not as it must be. */
  readonly faults?: readonly string[];
  /** What {@link FleetRow} promises. */
  readonly isStill?: boolean;
  readonly isWhole?: boolean;
}

export interface FleetChaosOptions {
  /** How often each row is run. */
  readonly times: number;
  readonly say: (line: string) => void;
}

/** All that waits is delivered by then. */
const RECOVERY_MS = 120_000;

export async function fleetChaos(
  stage: FleetStage,
  rows: readonly FleetRow[],
  options: FleetChaosOptions,
): Promise<FleetResult[]> {
  const results: FleetResult[] = [];
  for (const row of rows) {
    const result = await runRow(stage, row, options);
    results.push(result);
    options.say(`${row.name}: ${JSON.stringify(result)}`);
  }
  return results;
}

async function runRow(
  stage: FleetStage,
  row: FleetRow,
  { times, say }: FleetChaosOptions,
): Promise<FleetResult> {
  const { fleet } = stage;
  const fromMs = Date.now();
  const takeOverMs: number[] = [];
  const ownersBefore = await fleet.shared(stage.nodes);
  let moves = 0;
  const faults: string[] = [];
  const late: string[] = [];
  for (let i = 0; i < times; i++) {
    say(`${row.name}, ${i + 1} of ${times}`);
    const gone: { camera: string; atMs: number }[] = [];
    await row.run(stage, {
      gone: (cameras) => gone.push(...cameras.map((camera) => ({ camera, atMs: Date.now() }))),
      late: (why) => late.push(why),
      fault: (what) => faults.push(what),
    });
    const owners = await stage.shared();
    moves += [...owners].filter(([id, owner]) => ownersBefore.get(id) !== owner).length;
    for (const [id, owner] of owners) ownersBefore.set(id, owner);
    takeOverMs.push(...gone.map(({ camera, atMs }) => takeOver(fleet, camera, atMs)));
  }
  for (const why of late) say(`${row.name}: ${why}; cameras may have moved by right`);
  const { coverages, overMs } = await settled(stage, row, fromMs);
  const sum = (of: (coverage: Coverage) => number) => coverages.reduce((total, each) => total + of(each), 0);
  const dropped = sum((each) => total(each.dropped) - (each.dropped['superseded'] ?? 0));
  const frames = fleet.ids.flatMap((id) =>
    fleet.events.frames(id).filter(({ sequence }) => sequence >= fromMs / 1000),
  );
  const pictures = new Map(frames.map(({ key, camera, sequence }) => [key, `${camera} ${sequence}`]));
  const lost = sum((each) => periodsOf(each, 'waiting', overMs)) + dropped;
  const missed = sum((each) => periodsOf(each, 'gap', overMs));
  if (row.isWhole && missed > 0)
    for (const { camera, exceptions } of coverages)
      say(`${row.name}, ${camera}: ${JSON.stringify(exceptions.filter(({ state }) => state === 'gap'))}`);
  const confirmed = sum((each) => each.confirmed);
  return {
    ...{ row: row.name, times, confirmed, lost, missed, takeOverMs, moves },
    captured: confirmed + lost,
    twice: pictures.size - new Set(pictures.values()).size,
    repeated: frames.length - pictures.size,
    dangling: await danglingOf([...pictures.keys()], stage.servers.redisUrl),
    ...(row.isStill && late.length === 0 && { isStill: true }),
    ...(row.isWhole && { isWhole: true }),
    ...(faults.length > 0 && { faults }),
  };
}

/** How many of these keys are not in Redis. */
async function danglingOf(keys: readonly string[], redisUrl: string): Promise<number> {
  const server = readServerUrl('redisUrl', redisUrl, REDIS_SCHEMES);
  const closing = new AbortController();
  const link = new StoreLink({
    ...{ server: () => server, name: 'fault table of a fleet' },
    ...{ onOpen: () => link.healthy(), onAway: () => undefined },
  });
  const ran = link.run(closing.signal);
  try {
    await waitUntil('Redis is there', () => link.store !== undefined);
    const found = await Promise.all(keys.map(async (key) => link.store?.retrieve(key, false)));
    return found.filter((bytes) => bytes === null).length;
  } finally {
    closing.abort();
    await ran;
  }
}

/** Until the next picture that another node, or the same one again, has announced of the time after. */
function takeOver({ events }: Fleet, camera: string, atMs: number): number {
  const next = events.received.find(
    ({ event, receivedAt }) =>
      event.type === 'vigil.frame.sampled.v1' &&
      event.subject === camera &&
      receivedAt >= atMs &&
      event.data.capturedAt > atMs,
  );
  return (next?.receivedAt ?? Infinity) - atMs;
}

/** The fleet's ledger since then, when nothing of the row waits any more, and all nodes have reported what they know. */
async function settled(
  { fleet, nodes }: FleetStage,
  { isWhole }: FleetRow,
  fromMs: number,
): Promise<{ readonly coverages: readonly Coverage[]; readonly overMs: number }> {
  const config = path.join(nodes[0]?.daemon.dir ?? '', 'actors.json');
  const overMs = Date.now();
  // The first and the last are cut, and the newest is not over.
  const periods = (overMs - fromMs) / 1000 - 3;
  let coverages: readonly Coverage[] = [];
  let isTold = false;
  const look = async () => {
    const since = `${Math.floor((Date.now() - fromMs) / 1000)}s`;
    const args = ['ledger', '--fleet', '--json', '--since', since, '--config', config];
    const { stdout, stderr } = await run(process.execPath, [MAIN, ...args]);
    if (stdout.length === 0) throw new Error(`ledger --fleet: ${stderr}`);
    coverages = (JSON.parse(stdout.toString()) as Summary).cameras;
    isTold = coverages.length === fleet.ids.length && coverages.every((each) => each.periods >= periods);
    const isOpen = (each: Coverage) =>
      periodsOf(each, 'waiting', overMs) > 0 || (isWhole === true && periodsOf(each, 'gap', overMs) > 0);
    return isTold && !coverages.some(isOpen);
  };
  await waitUntil('nothing waits', look, RECOVERY_MS).catch((error: unknown) => {
    // What waits still is lost.
    if (!isTold) throw error;
  });
  await fleet.announcing();
  return { coverages, overMs };
}

/** Periods before a time: the newest pictures are always on their way, and a clock that was ahead has left gaps in the future. */
function periodsOf({ exceptions }: Coverage, wanted: 'waiting' | 'gap', beforeMs: number): number {
  return exceptions
    .filter(({ state, from }) => state === wanted && Date.parse(from) < beforeMs)
    .reduce((sum, { periods }) => sum + periods, 0);
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
