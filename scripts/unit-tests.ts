/**
 * Runs the tests in test/unit, which start no server and no other program, in a few processes. Arguments are
 * files, or parts of their names: these run in one process, and random ones among them as often as in `npm
 * test`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { summary } from './test-counts';

const UNIT = path.resolve(__dirname, '../test/unit');
const SHARD = path.join(__dirname, 'unit-shard.ts');
/** Each loads most of the code, for two seconds of processor; two would leave a core idle while one waits for a clock. */
const PROCESSES = 3;

/** Large files first, most of which take long: the processes end together, and waits for a clock do not come in a row. */
function unitTests(): string[] {
  const size = (name: string) => statSync(path.join(UNIT, name)).size;
  return readdirSync(UNIT, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort((a, b) => size(b) - size(a));
}

/** A whole name stands for that file alone, any other text for all files whose names contain it. */
function isNamed(file: string, wanted: readonly string[]): boolean {
  return wanted.some((name) =>
    name.endsWith('.test.ts') ? path.resolve(name) === path.join(UNIT, file) : file.includes(name),
  );
}

/** @returns exit code and output of a process that runs the rest of `files`, which other processes share */
async function runShard(files: Iterator<string>, env: NodeJS.ProcessEnv): Promise<[number, string]> {
  const args = ['--import', 'tsx', '--test-reporter=spec', SHARD];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], env });
  child.on('message', () => {
    const next = files.next();
    if (next.done === true) child.disconnect();
    else child.send(path.join(UNIT, next.value));
  });
  // Not `close`, which Node 20 does not emit after `disconnect`.
  const exit = once(child, 'exit') as Promise<[number | null]>;
  const [[code], output] = await Promise.all([exit, text(child.stdout as Readable)]);
  process.stdout.write(output);
  return [code ?? 1, output];
}

async function runNamed(wanted: readonly string[]): Promise<void> {
  const files = unitTests().filter((file) => isNamed(file, wanted));
  if (files.length === 0) {
    process.stderr.write(`no file below test/unit has a name with ${wanted.join(' or ')}\n`);
    process.exitCode = 1;
    return;
  }
  [process.exitCode] = await runShard(files.values(), process.env);
}

async function runAll(): Promise<void> {
  const files = unitTests().values();
  const env = { ...process.env, VIGIL_TEST_QUICK: '1' };
  const ended = await Promise.all(Array.from({ length: PROCESSES }, () => runShard(files, env)));
  process.stdout.write(`\nall unit tests, in ${PROCESSES} processes\n`);
  process.stdout.write(summary(ended.map(([, output]) => output)));
  if (ended.some(([code]) => code !== 0)) process.exitCode = 1;
}

const wanted = process.argv.slice(2);
if (wanted.length > 0) void runNamed(wanted);
else void runAll();
