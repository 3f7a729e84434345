/**
 * Runs the tests on other versions of Node: `npm run test:node -- 24`, or several, with a table at the end. `--unit` runs
 * the unit tests only; names of test files run those. The binaries are the platform packages of
 * https://www.npmjs.com/package/node, installed by npm's own settings into .cache/node/.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { COUNTS } from './test-counts';

const ROOT = path.resolve(__dirname, '..');
const CACHE = path.join(ROOT, '.cache', 'node');
const VERSION = /^\d+(\.\d+){0,2}$/;

interface Row {
  readonly version: string;
  readonly code: number;
  readonly seconds: number;
  readonly counts: Readonly<Record<string, string>>;
}

/** The folder that holds `node` of this version, "24" or "24.21.0"; installs it first where it is not cached. */
function nodeFolder(version: string): string {
  const system = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${system}-${process.arch}`;
  const folder = path.join(CACHE, version);
  const bin = path.join(folder, 'node_modules', name, 'bin');
  if (existsSync(path.join(bin, 'node'))) return bin;
  mkdirSync(folder, { recursive: true });
  // npm installs into the nearest folder that has one.
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${version}`];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: 'inherit' });
  if (status !== 0 || !existsSync(path.join(bin, 'node')))
    throw new Error(
      `npm could not install ${name}@${version}; npm view ${name} versions lists what there is`,
    );
  return bin;
}

async function runOn(version: string, args: readonly string[]): Promise<Row> {
  const bin = nodeFolder(version);
  const node = path.join(bin, 'node');
  const found = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  process.stdout.write(`\nNode ${found}\n`);
  const startedMs = performance.now();
  const child = spawn(node, ['--import', 'tsx', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` },
  });
  process.once('SIGTERM', () => child.kill('SIGTERM'));
  let tail = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    tail = (tail + text).slice(-100_000);
  });
  const code = await new Promise<number>((resolve) => {
    child.once('close', (status) => resolve(status ?? 1));
  });
  const counts: Record<string, string> = {};
  for (const [, what = '', number = ''] of tail.matchAll(COUNTS)) counts[what] = number;
  return { version: found, code, seconds: Math.round((performance.now() - startedMs) / 1000), counts };
}

function table(rows: readonly Row[]): string {
  const columns = ['tests', 'pass', 'fail', 'skipped', 'todo'];
  const lines = rows.map(({ version, code, seconds, counts }) =>
    [version, ...columns.map((what) => counts[what] ?? '?'), String(seconds), String(code)].join(' | '),
  );
  const head = ['Node', ...columns, 'seconds', 'exit code'];
  return [head.join(' | '), head.map(() => '---').join(' | '), ...lines]
    .map((line) => `| ${line} |\n`)
    .join('');
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const versions = args.filter((arg) => VERSION.test(arg));
  const others = args.filter((arg) => !VERSION.test(arg));
  const unit = others.includes('--unit');
  const files = others.filter((arg) => arg !== '--unit');
  if (versions.length === 0) {
    process.stderr.write(
      'usage: npm run test:node -- VERSION... [--unit] [FILE...], such as 24 or 24.21.0\n',
    );
    return 2;
  }
  const command = [unit ? 'scripts/unit-tests.ts' : 'scripts/run-tests.ts', ...files];
  const rows: Row[] = [];
  for (const version of versions) rows.push(await runOn(version, command));
  process.stdout.write(`\n${table(rows)}`);
  return rows.every(({ code }) => code === 0) ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  },
);
