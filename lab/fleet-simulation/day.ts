/** A seeded day of a fleet: nodes die, freeze, are cut off, drained and started again, and etcd loses its quorum. */
import { performance } from 'node:perf_hooks';
import type { Random } from '../random';
import type { RestFindings } from './rest';
import type { AsWritten } from './link';
import { SimulatedWorld, type SimulatedNode } from './world';

export interface DayOptions {
  readonly nodes: number;
  readonly cameras: number;
  readonly hours: number;
  /** Real time after which no more incidents are started, which shortens the day. */
  readonly limitMs?: number;
  readonly random: Random;
  readonly say?: (line: string) => void;
  /** Rewrites values as another version writes them, for a fleet of mixed versions. */
  readonly asWritten?: AsWritten;
}

export interface Day {
  readonly incidents: Readonly<Record<string, number>>;
  readonly moves: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  /** Simulated: longer than asked for where cameras had still to move. */
  readonly hours: number;
  readonly longestUnownedMs: number;
  /** The most cameras that began to move for balance within a minute. */
  readonly mostBegun: number;
  /** Cameras that began to move: more than arrived if some turned back. */
  readonly begun: number;
  /** Load of the fullest node relative to its share at the next incident, even while cameras still move. */
  readonly imbalance: readonly number[];
  readonly rest: RestFindings;
  readonly requestsPerSecond: number;
  readonly tookMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** One incident in each stretch: what it leads to is over before the next. */
const STRETCH_MS = 12 * MINUTE_MS;
/** All nodes are members by then, and the cameras are configured. */
const START_MS = 10_000;
/** At the end nothing happens; when the nodes have come to rest, nothing may move. */
const QUIET_MS = 10 * MINUTE_MS;
/** Moves for balance in a minute: all cameras could have moved once before the nodes must have come to rest. */
const MOVES = 10;
/** After a death, cameras alternately have a picture and none. */
const SILENT_FOR_S = 240;
/** The share of cameras that allow one viewer. */
const SINGLE = 0.1;

type Incident = (world: SimulatedWorld, node: SimulatedNode, random: Random) => void;

/** A node that leaves is started again within the stretch. */
const INCIDENTS: Readonly<Record<string, Incident>> = {
  death: (world, { name }, random) => {
    world.die(name);
    world.clock.after(random.between(10, 300) * 1000, () => world.start(name));
  },
  'death, and cameras silent now and then': (world, { name }, random) => {
    world.die(name);
    world.clock.after(random.between(10, 60) * 1000, () => world.start(name));
    for (const { id } of world.cameras)
      for (let s = random.between(0, 30); s < SILENT_FOR_S; s += random.between(5, 60))
        world.clock.after(s * 1000, () => world.silence(id, random.between(5, 30) * 1000));
  },
  'death, and back before the lease ends': (world, { name }, random) => {
    world.die(name);
    world.clock.after(random.between(500, 2500), () => world.start(name));
  },
  'three deaths at once': (world, _, random) => {
    for (const { name } of [...world.nodes.values()].slice(0, Math.min(3, world.nodes.size - 1))) {
      world.die(name);
      world.clock.after(random.between(10, 300) * 1000, () => world.start(name));
    }
  },
  freeze: (world, { name }, random) => world.freeze(name, random.between(1, 60) * 1000),
  'cut from etcd': (world, { name }, random) => {
    world.cut(name, true);
    world.clock.after(random.between(1, 120) * 1000, () => world.cut(name, false));
  },
  drain: (world, { name, fleet }, random) => {
    world.happens();
    void fleet.drain().then((left) => {
      if (left > 0) world.witness.violations.push(`${name} could not give ${left} cameras away`);
      world.die(name);
      world.clock.after(random.between(2, 60) * 1000, () => world.start(name));
    });
  },
  'etcd without a quorum': (world, _, random) => {
    world.setQuorum(false);
    world.clock.after(random.between(1, 90) * 1000, () => world.setQuorum(true));
  },
};

export async function simulateDay({
  nodes,
  cameras,
  hours,
  limitMs = Infinity,
  random,
  say,
  asWritten,
}: DayOptions): Promise<Day> {
  const startedMs = performance.now();
  const world = new SimulatedWorld(
    Array.from({ length: cameras }, (_, i) => ({
      ...{ id: `c${i}`, weight: random.pick([1, 1, 1, 2, 3]), isSingle: random.next() < SINGLE },
    })),
    random,
    asWritten,
  );
  for (let i = 0; i < nodes; i++) world.clock.after(random.between(0, 2000), () => world.start(`n${i}`));
  await world.clock.run(START_MS);
  world.configure();
  const look = () => {
    world.rest.look();
    world.clock.after(MINUTE_MS, look);
  };
  look();
  const incidents: Record<string, number> = {};
  const imbalance: number[] = [];
  let quietMs = hours * HOUR_MS - QUIET_MS;
  for (let atMs = STRETCH_MS; atMs < quietMs - QUIET_MS; atMs += STRETCH_MS) {
    await world.clock.run(atMs);
    if (performance.now() - startedMs > limitMs) {
      quietMs = atMs;
      break;
    }
    imbalance.push(world.loads.most);
    const name = random.pick(Object.keys(INCIDENTS));
    incidents[name] = (incidents[name] ?? 0) + 1;
    INCIDENTS[name]?.(world, random.pick([...world.nodes.values()]), random);
    say?.(`${(atMs / HOUR_MS).toFixed(1)} h: ${name}`);
  }
  await world.clock.run(quietMs);
  const { violations } = world.witness;
  const restMs = quietMs + (cameras / MOVES) * MINUTE_MS;
  while (world.isBalancing && world.clock.nowMs < restMs)
    await world.clock.run(world.clock.nowMs + MINUTE_MS);
  if (world.isBalancing)
    violations.push('cameras were still to move for balance long after the last incident');
  const before = sumOf(world.moves.counts);
  await world.clock.run(world.clock.nowMs + QUIET_MS);
  const moved = sumOf(world.moves.counts) - before;
  world.witness.close();
  if (moved > 0) violations.push(`${moved} cameras moved in a world that had not changed`);
  return {
    ...{ incidents, moves: world.moves.counts, violations, imbalance },
    ...{ mostBegun: world.moves.most, begun: world.moves.begun, rest: world.rest },
    longestUnownedMs: world.witness.longestUnownedMs,
    hours: world.clock.nowMs / HOUR_MS,
    requestsPerSecond: world.etcd.requests / (world.clock.nowMs / 1000),
    tookMs: performance.now() - startedMs,
  };
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
