/** Runs rows of the fault table, one after the other, on one daemon. */
import { performance } from 'node:perf_hooks';
import type { Row } from './row';
import { runRow, type RowResult } from './run-row';
import type { World } from './world';

export interface ChaosOptions {
  /** What takes longer to come right is lost. */
  readonly recoveryMs: number;
  readonly say: (line: string) => void;
}

export async function chaos(
  world: World,
  rows: readonly Row[],
  seconds: readonly number[],
  { recoveryMs, say }: ChaosOptions,
): Promise<RowResult[]> {
  const results: RowResult[] = [];
  let fromMs = performance.now();
  for (const row of rows) {
    const lacking = lacks(world, row);
    if (lacking !== undefined) {
      say(`${row.name}: skipped: ${lacking}`);
      continue;
    }
    for (const length of row.seconds === undefined ? seconds : [row.seconds]) {
      say(`${row.name} for ${length} s`);
      const { untilMs, ...result } = await runRow(world, row, { seconds: length, fromMs, recoveryMs });
      fromMs = untilMs;
      results.push(result);
      say(`${row.name}: ${inShort(result)}`);
    }
  }
  return results;
}

/** Printed at once: a run that is stopped before its table has reported at least this. */
function inShort({ captured, lost, repeated, dangling }: RowResult): string {
  return `${captured} captured, ${lost.length} lost, ${repeated} repeated, ${dangling.length} dangling`;
}

function lacks({ options, disk, obeysModes }: World, { needs }: Row): string | undefined {
  switch (needs) {
    case undefined:
      return undefined;
    case 'servers':
      return options.servers === undefined ? 'it needs servers of its own' : undefined;
    case 'disk':
      return disk === undefined ? 'a small disk cannot be mounted here; it needs root' : undefined;
    case 'modes':
      return obeysModes ? undefined : 'nothing can be kept from root here';
    case 'rabbitmq-cluster':
      return options.brokers === undefined ? 'it needs a cluster' : undefined;
    case 'redis-sentinel':
    case 'redis-cluster':
      return options.redisUrl.startsWith(needs) ? undefined : `it needs a ${needs}`;
  }
}
