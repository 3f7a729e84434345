/**
 * Runs the tests against a private Redis and a private RabbitMQ of the run's own. Arguments are test files; all of
 * them without.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openLog } from '../src/log/log';
import { prepareRabbitmq } from '../src/supervisor/services/rabbitmq';
import { prepareRedis } from '../src/supervisor/services/redis';

const ROOT = path.resolve(__dirname, '..');
/** A test file that hangs must not hold up the whole run. */
const FILE_TIMEOUT_MS = 300_000;
/** RabbitMQ takes 5 to 9 s on an idle machine, 16 s were measured on a busy one. */
const START_MS = 90_000;

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
        `--test-timeout=${String(FILE_TIMEOUT_MS)}`,
      ],
      ...files,
    ],
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...servers } },
  );
  // The terminal's Ctrl-C reaches the runner too: this process stays to stop the servers.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}

async function main(): Promise<number> {
  const files = process.argv.slice(2);
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-test-'));
  const log = openLog('test-servers', 'warn');
  const folder = (name: string) => {
    mkdirSync(path.join(dir, name));
    return path.join(dir, name);
  };
  const redis = await prepareRedis(folder('redis'), undefined, log);
  const rabbitmq = await prepareRabbitmq(folder('rabbitmq'), undefined, log);
  try {
    await Promise.all([redis.start(START_MS), rabbitmq.start(START_MS)]);
    return await runTests(files.length > 0 ? files : testFiles(), {
      VIGIL_TEST_REDIS_URL: redis.url,
      VIGIL_TEST_AMQP_URL: rabbitmq.url,
    });
  } finally {
    await Promise.all([redis.stop(5000), rabbitmq.stop(10_000)]);
    rmSync(dir, { recursive: true, force: true });
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`the tests could not be run: ${(error as Error).message}\n`);
    process.exit(1);
  },
);
