/** Runs rows of the fleet's fault table, one after the other, on three daemons and three etcd, and says what came of each. */
import path from 'node:path';
import Redis from 'ioredis';
import type { Coverage, Summary } from '../../src/ledger/summary';
import { vigil } from '../command';
import { startEtcd } from '../etcd-cluster';
import { Fleet } from '../fleet';
import { markdownTable } from '../markdown-table';
import { percentile } from '../percentile';
import { waitUntil } from '../process';
import type { FleetRow, FleetStage } from './fleet-rows';

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
  /** Announced keys that are not in Redis. */
  readonly dangling: number;
  /** From the loss of a node to the next announced picture of each of its cameras, milliseconds. */
  readonly takeOverMs: readonly number[];
  readonly moves: number;
}

export interface FleetChaosOptions {
  readonly redisUrl: string;
  readonly cameras: number;
  /** How often each row is run. */
  readonly times: number;
  readonly say: (line: string) => void;
}

/** All that waits is delivered by then. */
const RECOVERY_MS = 120_000;

export async function fleetChaos(
  rows: readonly FleetRow[],
  options: FleetChaosOptions,
): Promise<FleetResult[]> {
  const closing: (() => Promise<void>)[] = [];
  const etcd = await startEtcd();
  const redis = new Redis(options.redisUrl);
  const results: FleetResult[] = [];
  try {
    const cameras = Array.from({ length: options.cameras }, (_, i) => ({
      ...{ id: `c${i}`, test: 'testsrc2', width: 64 },
    }));
    const after = (close: () => Promise<void>) => closing.push(close);
    const fleet = await Fleet.open({ etcd: etcd.endpoints, cameras, after });
    const stage = { fleet, etcd, nodes: ['a', 'b', 'c'].map((name) => fleet.start(name)) };
    await fleet.shared(stage.nodes);
    await fleet.announcing();
    for (const row of rows) {
      results.push(await runRow(stage, row, redis, options));
      options.say(`${row.name}: ${JSON.stringify({ ...results.at(-1), takeOverMs: undefined })}`);
    }
  } finally {
    for (const close of closing.toReversed()) await close();
    redis.disconnect();
    await etcd.stop();
  }
  return results;
}

async function runRow(
  stage: FleetStage,
  row: FleetRow,
  redis: Redis,
  { times, say }: FleetChaosOptions,
): Promise<FleetResult> {
  const { fleet } = stage;
  const fromMs = Date.now();
  const takeOverMs: number[] = [];
  const ownersBefore = await fleet.shared(stage.nodes);
  let moves = 0;
  for (let i = 0; i < times; i++) {
    say(`${row.name}, ${i + 1} of ${times}`);
    const gone: { camera: string; atMs: number }[] = [];
    await row.run(stage, (cameras) => gone.push(...cameras.map((camera) => ({ camera, atMs: Date.now() }))));
    const owners = await fleet.shared(stage.nodes);
    await fleet.announcing();
    moves += [...owners].filter(([id, owner]) => ownersBefore.get(id) !== owner).length;
    for (const [id, owner] of owners) ownersBefore.set(id, owner);
    takeOverMs.push(...gone.map(({ camera, atMs }) => takeOver(fleet, camera, atMs)));
  }
  const coverages = await settled(stage, fromMs);
  const sum = (of: (coverage: Coverage) => number) => coverages.reduce((total, each) => total + of(each), 0);
  const dropped = sum((each) => total(each.dropped) - (each.dropped['superseded'] ?? 0));
  const frames = fleet.ids.flatMap((id) =>
    fleet.events.frames(id).filter(({ sequence }) => sequence >= fromMs / 1000),
  );
  const found = await Promise.all(frames.map(({ key }) => redis.exists(key)));
  const announced = new Set(frames.map(({ camera, sequence }) => `${camera} ${sequence}`));
  const lost = sum(({ waiting }) => waiting) + dropped;
  const confirmed = sum((each) => each.confirmed);
  return {
    ...{ row: row.name, times, confirmed, lost, takeOverMs, moves },
    captured: confirmed + lost,
    missed: sum(({ gap }) => total(gap)),
    twice: frames.length - announced.size,
    dangling: found.filter((exists) => exists === 0).length,
  };
}

/** Until the next picture that another node, or the same one anew, has announced of the time after. */
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

/** The fleet's ledger since then, when nothing waits any more. */
async function settled({ fleet, nodes }: FleetStage, fromMs: number): Promise<readonly Coverage[]> {
  const config = path.join(nodes[0]?.daemon.dir ?? '', 'actors.json');
  // The first and the last are cut, and the newest is not over.
  const periods = (Date.now() - fromMs) / 1000 - 3;
  let coverages: readonly Coverage[] = [];
  // The newest pictures are always on their way.
  const isOld = ({ to }: { to: string }) => Date.now() - Date.parse(to) > 20_000;
  const look = () => {
    const since = `${Math.floor((Date.now() - fromMs) / 1000)}s`;
    const { stdout } = vigil(['ledger', '--fleet', '--json', '--since', since, '--config', config]);
    coverages = (JSON.parse(stdout) as Summary).cameras;
    const isWhole =
      coverages.length === fleet.ids.length && coverages.every((each) => each.periods >= periods);
    return (
      isWhole &&
      !coverages.some(({ exceptions }) => exceptions.some((each) => each.state === 'waiting' && isOld(each)))
    );
  };
  await waitUntil('nothing waits', look, RECOVERY_MS).catch(() => undefined);
  await fleet.announcing();
  return coverages.map((each) => ({ ...each, waiting: waitingOf(each) }));
}

function waitingOf({ exceptions }: Coverage): number {
  return exceptions
    .filter(({ state, to }) => state === 'waiting' && Date.now() - Date.parse(to) > 20_000)
    .reduce((sum, { periods }) => sum + periods, 0);
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

const HEAD = [
  ...['fault', 'times', 'captured', 'confirmed', 'lost', 'twice', 'dangling', 'camera-seconds missed'],
  ...['take-over p50 s', 'p95 s', 'max s', 'moves'],
];

export function fleetTable(results: readonly FleetResult[]): string {
  const seconds = (ms: number) => (Number.isNaN(ms) ? '-' : (ms / 1000).toFixed(1));
  return markdownTable(
    HEAD,
    results.map(({ row, times, takeOverMs, ...result }) => [
      ...[row, String(times)],
      ...[result.captured, result.confirmed, result.lost, result.twice, result.dangling, result.missed].map(
        String,
      ),
      ...[0.5, 0.95, 1].map((share) => seconds(percentile(takeOverMs, share))),
      String(result.moves),
    ]),
  );
}

/** What is not as it must be, a sentence each. */
export function fleetViolations(results: readonly FleetResult[]): string[] {
  return results.flatMap(({ row, lost, twice, dangling, takeOverMs, captured }) => [
    ...(captured === 0 ? [`${row}: nothing was captured`] : []),
    ...(lost > 0 ? [`${row}: ${lost} frames lost`] : []),
    ...(twice > 0 ? [`${row}: ${twice} periods announced twice`] : []),
    ...(dangling > 0 ? [`${row}: ${dangling} announced keys were not in Redis`] : []),
    ...(percentile(takeOverMs, 0.95) > 10_000 ? [`${row}: take-over p95 above 10 s`] : []),
    ...(percentile(takeOverMs, 0.5) > 8000 ? [`${row}: take-over p50 above 8 s`] : []),
  ]);
}
