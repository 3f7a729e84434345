/**
 * Runs the tests against a private Redis and a private RabbitMQ, two files at a time. Arguments are test
 * files; without arguments, all run.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { endProcess } from '../src/os/output';
import { withPrivateServers } from './private-servers';
import { summary } from './test-counts';

const ROOT = path.resolve(__dirname, '..');
/** A test file that hangs must not hold up the whole run. */
const FILE_TIMEOUT_MS = 300_000;
/** Files that count each second of a feed, or wait for a lease: another file at the same time would slow them down. */
const ALONE: ReadonlySet<string> = new Set(
  [
    ...['integration/feed-faults', 'integration/feeds', 'integration/hls', 'integration/matrix'],
    ...['system/delivery', 'system/feeds', 'system/fleet-moves', 'system/second-daemon'],
  ].map((name) => path.join('test', `${name}.test.ts`)),
);

function testFiles(): string[] {
  return readdirSync(path.join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join('test', name))
    .sort();
}

interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** @param args of node's test runner, after our own */
async function runTests(
  concurrency: number,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Outcome> {
  const child = spawn(
    process.execPath,
    [
      ...[
        '--import',
        'tsx',
        '--test',
        `--test-concurrency=${concurrency}`,
        '--test-reporter=spec',
        `--test-timeout=${FILE_TIMEOUT_MS}`,
      ],
      ...args,
    ],
    { cwd: ROOT, stdio: ['inherit', 'pipe', 'inherit'], env, signal },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
    child.once('error', (error) => {
      if (!signal.aborted) reject(error);
    });
  });
}

async function runAll(args: readonly string[], servers: NodeJS.ProcessEnv): Promise<number> {
  const isFile = (arg: string) => arg.endsWith('.test.ts');
  const options = args.filter((arg) => !isFile(arg));
  const named = args.filter(isFile).map((file) => path.relative(ROOT, path.resolve(file)));
  const files = named.length > 0 ? named : testFiles();
  const stopping = new AbortController();
  // This process stays to stop the servers.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
  const env = { ...process.env, ...servers };
  const ended: Outcome[] = [];
  for (const [concurrency, isAlone] of [
    [1, true],
    [2, false],
  ] as const) {
    const some = files.filter((file) => ALONE.has(file) === isAlone);
    if (some.length === 0 || stopping.signal.aborted) continue;
    ended.push(await runTests(concurrency, [...options, ...some], env, stopping.signal));
  }
  if (ended.length > 1) {
    process.stdout.write('\nall tests: of the files that run one at a time, and of all others\n');
    process.stdout.write(summary(ended.map(({ output }) => output)));
  }
  return ended.find(({ code }) => code !== 0)?.code ?? 0;
}

async function main(): Promise<number> {
  return withPrivateServers((variables) => runAll(process.argv.slice(2), variables));
}

main().then(
  (code) => endProcess(code, Infinity),
  (error: unknown) => {
    process.stderr.write(`the tests could not be run: ${(error as Error).message}\n`);
    void endProcess(1, Infinity);
  },
);
