/** A consumer of either kit as a process that tells what it does, one JSON object a line. */
import path from 'node:path';
import { spawnOwned, type OwnedProcess } from './process';
import { PYTHON, PYTHON_PACKAGE, PYTHON_SCRIPT } from './python-consumer';
import type { TestServers } from './servers';

const TYPESCRIPT = path.resolve(__dirname, '../test/fixtures/typescript-consumer.ts');

export const KITS = ['typescript', 'python'] as const;

export type Kit = (typeof KITS)[number];

/** @param options those that have the same name in both kits, and `behaviour` of the fixtures */
export function spawnConsumer(
  kit: Kit,
  options: object,
  { amqpUrl, redisUrl }: TestServers,
): Promise<OwnedProcess> {
  if (kit === 'typescript') {
    const given = JSON.stringify({ ...options, amqpUrl, redisUrl });
    return spawnOwned(process.execPath, ['--import', 'tsx', TYPESCRIPT, given]);
  }
  const given = JSON.stringify({ ...options, endpoints: { amqp: amqpUrl, redis: redisUrl } });
  return spawnOwned('env', [`PYTHONPATH=${PYTHON_PACKAGE}`, PYTHON, PYTHON_SCRIPT, given]);
}
