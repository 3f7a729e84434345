/**
 * Runs the tests against a private Redis and a private RabbitMQ of the run's own. Arguments are test files; all of
 * them without.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { endProcess } from '../src/os/output';
import { withPrivateServers } from './private-servers';

const ROOT = path.resolve(__dirname, '..');
/** A test file that hangs must not hold up the whole run. */
const FILE_TIMEOUT_MS = 300_000;

function testFiles(): string[] {
  return readdirSync(path.join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join('test', name))
    .sort();
}

async function runTests(files: readonly string[], servers: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      ...[
        '--import',
        'tsx',
        '--test',
        '--test-concurrency=2',
        '--test-reporter=spec',
        `--test-timeout=${FILE_TIMEOUT_MS}`,
      ],
      ...files,
    ],
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...servers } },
  );
  // The terminal's Ctrl-C reaches the runner too: this process stays to stop the servers.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function main(): Promise<number> {
  const files = process.argv.slice(2);
  return withPrivateServers((variables) => runTests(files.length > 0 ? files : testFiles(), variables));
}

main().then(
  (code) => endProcess(code, Infinity),
  (error: unknown) => {
    process.stderr.write(`the tests could not be run: ${(error as Error).message}\n`);
    void endProcess(1, Infinity);
  },
);
