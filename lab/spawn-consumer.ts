/** A consumer of either kit as a process that reports what it does, one JSON object a line. */
import path from 'node:path';
import type { TestContext } from 'node:test';
import { spawnOwned, type OwnedProcess } from './process';
import { PYTHON, PYTHON_PACKAGE, PYTHON_SCRIPT, told, type PythonConsumer } from './python-consumer';
import type { TestServers } from './servers';

const TYPESCRIPT = path.resolve(__dirname, '../test/fixtures/typescript-consumer.ts');

export const KITS = ['typescript', 'python'] as const;

export type Kit = (typeof KITS)[number];

/**
 * A consumer for as long as a test lasts.
 * @param ca file of certificates to trust
 */
export async function startConsumer(
  t: TestContext,
  kit: Kit,
  options: object,
  servers: TestServers,
  ca?: string,
): Promise<PythonConsumer> {
  const program = await spawnConsumer(kit, options, servers, ca);
  t.after(() => program.signal('SIGKILL'));
  return told(program);
}

/** @param options those that have the same name in both kits, and `behaviour` of the fixtures */
export function spawnConsumer(
  kit: Kit,
  options: object,
  { amqpUrl, redisUrl }: TestServers,
  ca?: string,
): Promise<OwnedProcess> {
  if (kit === 'typescript') {
    const given = JSON.stringify({ ...options, amqpUrl, redisUrl });
    const trusted = ca === undefined ? [] : [`NODE_EXTRA_CA_CERTS=${ca}`];
    return spawnOwned('env', [...trusted, process.execPath, '--import', 'tsx', TYPESCRIPT, given]);
  }
  const endpoints = { amqp: amqpUrl, redis: redisUrl };
  const given = JSON.stringify({ ...options, endpoints, ...(ca === undefined ? {} : { ca_file: ca }) });
  const variables = [`PYTHONPATH=${PYTHON_PACKAGE}`, 'PYTHONDONTWRITEBYTECODE=1'];
  return spawnOwned('env', [...variables, PYTHON, PYTHON_SCRIPT, given]);
}
