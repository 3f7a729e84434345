/**
 * `npm run chaos -- [--rows redis-kill,store-kill] [--seconds 10,30] [--cameras 8]`: the fault table, on servers of its
 * own; with `--fleet [--rows node-kill] [--times 3]` that of a fleet, where `--results FILE` adds what runs before have found,
 * and the row `rolling-upgrade` needs `--from COMMIT`, the other version; it needs root and iproute2, and ends with 69 without them.
 * Exit 1 when a frame was lost, dangling or damaged, or memory, repeats or the ledger were not as they must be.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { exitCodeOf } from '../src/commands/exit-codes';
import { ExitFault } from '../src/fault/fault';
import { endProcess } from '../src/os/output';
import { chaos } from '../lab/chaos/chaos';
import { ROWS } from '../lab/chaos/faults';
import type { FleetResult } from '../lab/chaos/fleet-chaos';
import type { FleetRow } from '../lab/chaos/fleet-rows';
import type { Row } from '../lab/chaos/row';
import type { RowResult } from '../lab/chaos/run-row';
import { openStage, STAGES, stageOf, type StageName } from '../lab/chaos/stage';
import { table, violations } from '../lab/chaos/table';
import { World } from '../lab/chaos/world';
import { newNamespace } from '../lab/events';
import { buildCommit } from '../lab/other-commit';

/** Longer than any fault except that of ten minutes: a frame that expires counts as lost. */
const EXPIRE_MS = 300_000;
/** Back-offs reach 30 s, a broker takes up to 16 s to start, and a backlog of ten minutes must be delivered in three. */
const RECOVERY_MS = 180_000;

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    seconds: { type: 'string', default: '10,30' },
    cameras: { type: 'string', default: '8' },
    fleet: { type: 'boolean', default: false },
    times: { type: 'string', default: '1' },
    results: { type: 'string' },
    from: { type: 'string' },
  },
});

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

/** The rows that were named; otherwise all except those that run only when named. */
function chosen<R extends { readonly name: string; readonly onlyNamed?: boolean }>(rows: readonly R[]): R[] {
  const names = values.rows?.split(',');
  const unknown = names?.find((name) => !rows.some((row) => row.name === name));
  if (unknown !== undefined)
    throw new Error(`there is no row "${unknown}"; rows: ${rows.map(({ name }) => name).join(', ')}`);
  return rows.filter(({ name, onlyNamed }) => names?.includes(name) ?? onlyNamed !== true);
}

/** Rejects when the run must end: servers, daemon and disk are removed nevertheless. */
async function stopRequest(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => reject(new Error(`${signal} came before the end`)));
  });
}

/** The table of a fleet: three daemons on hosts of their own, and three etcd. */
async function fleetMain(): Promise<number> {
  const { FLEET_ROWS } = await import('../lab/chaos/fleet-rows');
  const { NodeHost } = await import('../lab/chaos/node-host');
  const rows = chosen(FLEET_ROWS);
  if (values.from === undefined && rows.some(({ name }) => name === 'rolling-upgrade'))
    throw new Error('the row "rolling-upgrade" needs the other version: --from COMMIT');
  await NodeHost.throwIfNone();
  const other = values.from === undefined ? undefined : buildCommit(values.from);
  try {
    return await fleetTables(rows, other?.main);
  } finally {
    other?.remove();
  }
}

async function fleetTables(rows: readonly FleetRow[], otherMain?: string): Promise<number> {
  const { fleetTable, fleetViolations, addResults } = await import('../lab/chaos/fleet-table');
  const stopped = stopRequest();
  stopped.catch(() => undefined);
  const { results: file } = values;
  let results: FleetResult[] = [];
  if (file !== undefined && existsSync(file))
    results = JSON.parse(readFileSync(file, 'utf8')) as FleetResult[];
  for (const name of STAGES) {
    const own = rows.filter(({ needs = 'single' }) => needs === name);
    if (own.length > 0) results = addResults(results, await runFleetOn(name, own, stopped, otherMain));
    if (file !== undefined) writeFileSync(file, JSON.stringify(results));
  }
  const faults = fleetViolations(results);
  process.stdout.write(`${[fleetTable(results), '', ...faults].join('\n')}\n`);
  return faults.length === 0 ? 0 : 1;
}

async function runFleetOn(
  name: StageName,
  rows: readonly FleetRow[],
  stopped: Promise<never>,
  otherMain?: string,
): Promise<FleetResult[]> {
  const { fleetChaos } = await import('../lab/chaos/fleet-chaos');
  const { FleetStage } = await import('../lab/chaos/fleet-stage');
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-chaos-'));
  say(`servers: ${name}`);
  const servers = await openStage(name, dir);
  const { redisUrl, amqpUrl } = servers;
  Object.assign(process.env, { VIGIL_TEST_REDIS_URL: redisUrl, VIGIL_TEST_AMQP_URL: amqpUrl });
  try {
    const stage = await FleetStage.open({ servers, cameras: Number(values.cameras), otherMain });
    try {
      return await Promise.race([fleetChaos(stage, rows, { times: Number(values.times), say }), stopped]);
    } finally {
      await stage.close();
    }
  } finally {
    await servers.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function main(): Promise<number> {
  if (values.fleet) return fleetMain();
  const rows = chosen(ROWS);
  const stopped = stopRequest();
  stopped.catch(() => undefined);
  const results: RowResult[] = [];
  for (const stage of STAGES) {
    const own = rows.filter((row) => stageOf(row) === stage);
    if (own.length > 0) results.push(...(await runOn(stage, own, stopped)));
  }
  const faults = violations(results, Number(values.cameras));
  process.stdout.write(`${[table(results), '', ...faults].join('\n')}\n`);
  return faults.length === 0 ? 0 : 1;
}

async function runOn(name: StageName, rows: readonly Row[], stopped: Promise<never>): Promise<RowResult[]> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-chaos-'));
  say(`servers: ${name}`);
  const stage = await openStage(name, dir);
  try {
    const world = await World.open({
      dir: path.join(dir, 'daemon'),
      namespace: newNamespace(),
      cameras: Number(values.cameras),
      expireMs: EXPIRE_MS,
      ...stage,
    });
    try {
      const seconds = values.seconds.split(',').map(Number);
      return await Promise.race([chaos(world, rows, seconds, { recoveryMs: RECOVERY_MS, say }), stopped]);
    } finally {
      await world.close();
    }
  } finally {
    await stage.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

main().then(
  (code) => endProcess(code, Infinity),
  (error: unknown) => {
    process.stderr.write(`the faults could not be run: ${(error as Error).message}\n`);
    void endProcess(error instanceof ExitFault ? exitCodeOf(error) : 1, Infinity);
  },
);
