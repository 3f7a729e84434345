/**
 * Runs the tests below test/unit, which start no server and no other program. Their files share a few processes, since a
 * process per file would take longer to start than most tests take. Arguments are files, or parts of their names: these
 * run in one process, and random ones among them as often as in `npm test`.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { summary } from './test-counts';

const UNIT = path.resolve(__dirname, '../test/unit');
const SHARD = path.join(__dirname, 'unit-shard.ts');
const MAX_PROCESSES = 4;
/** Some tests wait for a clock; and with few processes, the one with most to do is the last by far. */
const PROCESSES_PER_CORE = 2;

function unitTests(): string[] {
  return readdirSync(UNIT, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
}

/** A whole name stands for that file alone, any other text for all files whose names contain it. */
function isNamed(file: string, wanted: readonly string[]): boolean {
  return wanted.some((name) =>
    name.endsWith('.test.ts') ? path.resolve(name) === path.join(UNIT, file) : file.includes(name),
  );
}

/** @returns exit code and output */
async function runShard(files: readonly string[], env: NodeJS.ProcessEnv): Promise<[number, string]> {
  const args = [
    '--import',
    'tsx',
    '--test-reporter=spec',
    SHARD,
    ...files.map((file) => path.join(UNIT, file)),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      process.stdout.write(output);
      resolve([code ?? 1, output]);
    });
  });
}

async function runNamed(wanted: readonly string[]): Promise<void> {
  const files = unitTests().filter((file) => isNamed(file, wanted));
  if (files.length === 0) {
    process.stderr.write(`no file below test/unit has a name with ${wanted.join(' or ')}\n`);
    process.exitCode = 1;
    return;
  }
  [process.exitCode] = await runShard(files, process.env);
}

async function runAll(): Promise<void> {
  const files = unitTests();
  const count = Math.min(MAX_PROCESSES, Math.ceil(PROCESSES_PER_CORE * availableParallelism()));
  // Neighbours load the same modules.
  const border = (shard: number) => Math.round((files.length * shard) / count);
  const shards = Array.from({ length: count }, (_, shard) => files.slice(border(shard), border(shard + 1)));
  const env = { ...process.env, VIGIL_TEST_QUICK: '1' };
  const ended = await Promise.all(shards.map((shard) => runShard(shard, env)));
  process.stdout.write(`\nall unit tests, in ${shards.length} processes\n`);
  process.stdout.write(summary(ended.map(([, output]) => output)));
  if (ended.some(([code]) => code !== 0)) process.exitCode = 1;
}

const wanted = process.argv.slice(2);
if (wanted.length > 0) void runNamed(wanted);
else void runAll();
