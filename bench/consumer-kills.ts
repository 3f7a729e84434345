/**
 * kill -9 of consumers at random moments while frames arrive, in each mode and with each kit. Prints the
 * table of docs/consumers.md; exit 1 if a guarantee did not hold.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { runKills, type KillFindings, type KillTrial } from '../lab/consumer-kills';
import { markdownTable } from '../lab/markdown-table';
import { randomOf } from '../lab/random';
import { testServers } from '../lab/servers';
import { runBench } from './run';

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    frames: { type: 'string', default: '10000' },
    'life-frames': { type: 'string', default: '400' },
    seed: { type: 'string', default: '1' },
  },
});
/** Long enough that a picture no consumer removes still exists for the slowest service after kills of its consumers. */
const LIFE_MS = 60_000;
const THREE = ['python', 'typescript', 'either'] as const;

interface Row extends Pick<KillTrial, 'removal' | 'kits' | 'isShared' | 'isExpiryAwaited'> {
  readonly mode: string;
}

const ROWS: Readonly<Record<string, Row>> = {
  'after-typescript': { mode: '`after`', removal: 'after', kits: ['typescript'] },
  'after-python': { mode: '`after`', removal: 'after', kits: ['python'] },
  'getdel-typescript': { mode: '`getdel`', removal: 'getdel', kits: ['typescript'] },
  'getdel-python': { mode: '`getdel`', removal: 'getdel', kits: ['python'] },
  keep: { mode: '`keep`', removal: 'keep', kits: THREE, isExpiryAwaited: true },
  services: { mode: '`consumers`, `after`', removal: 'after', kits: THREE, isShared: true },
};
const HEAD = [
  'mode',
  'kits',
  'frames',
  'kills',
  'lost',
  'begun again',
  'unmarked',
  'dead letters',
  'keys left',
];

function isMet(row: Row, lost: number, repeats: number, found: KillFindings): boolean {
  const isWorked = row.removal === 'getdel' ? repeats === 0 : lost === 0;
  return isWorked && found.kills > 0 && found.unmarked === 0 && found.deadLetters === 0 && found.keys === 0;
}

async function run(row: Row, redis: Redis): Promise<{ isMet: boolean; cells: string[] }> {
  const { mode, ...how } = row;
  const frames = Number(values.frames);
  const namespace = `kills-${randomBytes(4).toString('hex')}`;
  const trial = { ...how, namespace, frames, lifeFrames: Number(values['life-frames']), lifeMs: LIFE_MS };
  const found = await runKills(trial, testServers(), randomOf(Number(values.seed)));
  const lost = found.done.reduce((sum, done) => sum + frames - done.size, 0);
  const repeats = found.begun.flatMap((begun) => [...begun.values()]).filter((count) => count > 1).length;
  // The servers are this run's own.
  const keys = Math.max(found.keys, await redis.dbsize());
  const figures = [frames, found.kills, lost, repeats, found.unmarked, found.deadLetters, keys];
  return {
    isMet: isMet(row, lost, repeats, { ...found, keys }),
    cells: [mode, row.kits.join(', '), ...figures.map(String)],
  };
}

runBench('consumer-kills', async () => {
  const redis = new Redis(testServers().redisUrl);
  const cells: string[][] = [];
  let areMet = true;
  for (const name of values.rows?.split(',') ?? Object.keys(ROWS)) {
    const row = ROWS[name];
    if (row === undefined)
      throw new Error(`there is no row "${name}"; rows: ${Object.keys(ROWS).join(', ')}`);
    const found = await run(row, redis);
    process.stderr.write(`${found.isMet ? 'held' : 'BROKEN'}: ${found.cells.join(', ')}\n`);
    cells.push(found.cells);
    areMet &&= found.isMet;
  }
  console.log(markdownTable(HEAD, cells));
  redis.disconnect();
  return areMet;
});
