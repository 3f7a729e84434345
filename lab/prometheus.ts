/** A real Prometheus with the configuration of examples/monitoring, hurried for a test, and its promtool. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withDeadline } from '../src/clock/sleep';
import { freePort } from './free-port';
import { spawnOwned, waitUntil, type Exit } from './process';

export const MONITORING = path.resolve(__dirname, '../examples/monitoring');
const PROMTOOL_MS = 60_000;

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

export interface Prometheus {
  readonly dir: string;
  /** Rejects with what Prometheus has against the expression. */
  query(expression: string): Promise<Sample[]>;
  firing(name: string): Promise<Alert[]>;
  stop(): Promise<void>;
}

/** Runs promtool on `input` as its standard input. */
export async function promtool(args: readonly string[], input = ''): Promise<Exit & { said: string }> {
  const program = await spawnOwned('promtool', args);
  let said = '';
  program.stdout.on('data', (text: Buffer) => (said += text.toString()));
  program.stdin.end(input);
  const exit = await withDeadline(program.exited, PROMTOOL_MS);
  if (exit === undefined) throw new Error(`promtool ${args.join(' ')} runs for ${PROMTOOL_MS} ms`);
  return { ...exit, said: said + program.stderr() };
}

/** A folder with the example files: the daemon's address and token, a scrape every two seconds, alerts without delay. */
export function hurriedCopy(target: string, token: string): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-prometheus-'));
  cpSync(MONITORING, dir, { recursive: true });
  writeFileSync(path.join(dir, 'vigil-token'), token);
  change(path.join(dir, 'prometheus.yml'), [
    [/127\.0\.0\.1:8080/, target],
    [/scrape_interval: 15s/, 'scrape_interval: 2s'],
    [/evaluation_interval: 15s/, 'evaluation_interval: 1s'],
  ]);
  change(path.join(dir, 'vigil.rules.yml'), [[/for: \d+m/g, 'for: 1s']]);
  return dir;
}

/** Each must be there to be changed. */
function change(file: string, changes: readonly (readonly [RegExp, string])[]): void {
  let text = readFileSync(file, 'utf8');
  for (const [from, to] of changes) {
    if (text.search(from) === -1) throw new Error(`${file} has no ${String(from)}`);
    text = text.replace(from, to);
  }
  writeFileSync(file, text);
}

/** @param dir of {@link hurriedCopy}; removed when it stops */
export async function startPrometheus(dir: string): Promise<Prometheus> {
  const address = `127.0.0.1:${await freePort()}`;
  const program = await spawnOwned('prometheus', [
    `--config.file=${path.join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${path.join(dir, 'data')}`,
    `--web.listen-address=${address}`,
  ]);
  program.stdout.resume();
  const ask = async (route: string) => {
    const response = await fetch(`http://${address}/api/v1/${route}`);
    const { data, error } = (await response.json()) as { data?: unknown; error?: string };
    if (error !== undefined) throw new Error(`${route}: ${error}`);
    return data;
  };
  const isReady = () =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  const stop = async () => {
    await program.end();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await waitUntil(
      'Prometheus is ready',
      async () => program.exit() !== undefined || (await isReady()),
      60_000,
    );
    if (program.exit() !== undefined) throw new Error(`Prometheus ended: ${program.stderr()}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    dir,
    query: async (expression) => {
      const data = (await ask(`query?query=${encodeURIComponent(expression)}`)) as { result: Sample[] };
      return data.result;
    },
    firing: async (name) => {
      const { alerts } = (await ask('alerts')) as { alerts: Alert[] };
      return alerts.filter(({ labels, state }) => labels['alertname'] === name && state === 'firing');
    },
    stop,
  };
}
