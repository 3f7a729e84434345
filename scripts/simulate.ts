/**
 * `npm run simulate -- [--nodes 50] [--cameras 5000] [--hours 24] [--minutes N] [--seed N]`: a day of a fleet
 * on simulated time, or as much as fits into the given minutes of real time. Its nodes run the real code.
 * Exit 1 if a check failed.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { simulateDay } from '../lab/fleet-simulation/day';
import { markdownTable } from '../lab/markdown-table';
import { percentile } from '../lab/percentile';
import { randomOf } from '../lab/random';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '50' },
    cameras: { type: 'string', default: '5000' },
    hours: { type: 'string', default: '24' },
    minutes: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
});

function counted(counts: Readonly<Record<string, number>>): string {
  const said = Object.entries(counts).map(([name, count]) => `${name}: ${count}`);
  return said.sort().join('; ');
}

function medianAndWorst(loads: readonly number[]): string {
  return [0.5, 1].map((share) => percentile(loads, share).toFixed(2)).join(', ');
}

async function main(): Promise<void> {
  const { nodes, cameras, hours, minutes, seed } = values;
  const say = (line: string) => process.stderr.write(`${line}\n`);
  say(`seed ${seed}`);
  const day = await simulateDay({
    ...{ nodes: Number(nodes), cameras: Number(cameras), hours: Number(hours) },
    ...{ limitMs: 60_000 * Number(minutes), random: randomOf(Number(seed)), say },
  });
  const rows: [string, string][] = [
    ['nodes, cameras, simulated hours, seed', [nodes, cameras, day.hours.toFixed(1), seed].join(', ')],
    ['incidents', counted(day.incidents)],
    ['cameras that came to a node, by reason', counted(day.moves)],
    ['longest time without a node, s', (day.longestUnownedMs / 1000).toFixed(1)],
    [
      'load of the fullest node by its share once all had moved: median, worst',
      medianAndWorst(day.rest.loads),
    ],
    ['the same when the next incident came', medianAndWorst(day.imbalance)],
    [
      'longest until all had moved after an incident, minutes; of cameras',
      `${day.rest.longest.minutes.toFixed(1)}; ${day.rest.longest.cameras}`,
    ],
    ['began to move for balance; most within a minute', `${day.begun}, ${day.mostBegun}`],
    ['requests to etcd per second', day.requestsPerSecond.toFixed(1)],
    ['violations', String(day.violations.length)],
    ['took, s', (day.tookMs / 1000).toFixed(0)],
  ];
  process.stdout.write(`${markdownTable(['', 'a simulated day'], rows)}\n`);
  for (const violation of day.violations) say(violation);
  if (day.violations.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`the day could not be simulated: ${(error as Error).message}\n`);
  process.exitCode = 1;
});
