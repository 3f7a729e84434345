/** `npm run soak -- [--minutes 10] [--kills N] [--seed S] [--servers embedded|remote]`: exit 1 if any fault was found. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { endProcess } from '../src/os/output';
import { soak, TRIED_SOON } from '../lab/soak/soak';
import { newNamespace, remoteServers } from '../lab/events';
import { withPrivateServers } from './private-servers';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    kills: { type: 'string' },
    seed: { type: 'string' },
    cameras: { type: 'string', default: '3' },
    servers: { type: 'string', default: 'embedded' },
  },
});

/** Ten minutes if no bound is given; with one bound, no other applies. */
function bounds(): { kills: number; minutes: number } {
  const { kills, minutes } = values;
  return {
    kills: kills === undefined ? Infinity : Number(kills),
    minutes: minutes === undefined ? (kills === undefined ? 10 : Infinity) : Number(minutes),
  };
}

async function run(servers: object): Promise<number> {
  const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
  const say = (line: string) => {
    process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
  };
  say(`soak --seed ${seed}`);
  const cameras = Array.from({ length: Number(values.cameras) }, (_, i) => ({
    id: `cam${i}`,
    test: 'testsrc2',
    width: 160,
  }));
  const config = { namespace: newNamespace(), ...servers, actors: TRIED_SOON, cameras };
  const faults = await soak({ seed, ...bounds(), calmEvery: 50, config, say });
  for (const fault of faults) say(`found: ${fault}`);
  say(`${faults.length} faults`);
  return faults.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  if (values.servers === 'embedded') return run({});
  return withPrivateServers(async (variables) => {
    Object.assign(process.env, variables);
    return run(remoteServers());
  });
}

main().then(
  (code) => endProcess(code, Infinity),
  (error: unknown) => {
    process.stderr.write(`the soak could not be run: ${(error as Error).message}\n`);
    void endProcess(1, Infinity);
  },
);
