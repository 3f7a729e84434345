/** Configuration files of an embedded broker: its bounds, its user, its addresses; and where the files are. */
import { createHash, randomBytes } from 'node:crypto';
import { totalmem } from 'node:os';
import path from 'node:path';

export const USER = 'vigil';

const MIB = 1024 * 1024;
/**
 * A quorum queue's write-ahead log, whose contents are also in memory, grows to this before it is rolled
 * over: 512 MiB by default (rabbitmq.com/docs/quorum-queues, "Resource Use"). With 4 MiB the broker took 185
 * MiB at most while a million messages went through it, 8,000 a second.
 */
const WAL_BYTES = 4 * MIB;
/** Beyond it publishers are stopped and frames wait in the spool. An idle broker takes 145 MiB. */
const MEMORY_BYTES = 400 * MIB;
/** RabbitMQ's default share of the memory of a machine or container. */
const MEMORY_SHARE = 0.4;
/** Publishers are also stopped with less free disk than this: space for several logs, as it checks only every ten seconds. */
const FREE_DISK_BYTES = 32 * MIB;

/** Where a broker finds its files and stores its data: all in one folder, separate from the machine's own broker. */
export function folderVariables(dir: string): Readonly<Record<string, string>> {
  return {
    HOME: path.join(dir, 'home'),
    RABBITMQ_MNESIA_BASE: path.join(dir, 'mnesia'),
    RABBITMQ_LOG_BASE: path.join(dir, 'log'),
    RABBITMQ_GENERATED_CONFIG_DIR: path.join(dir, 'generated'),
    RABBITMQ_CONFIG_FILE: path.join(dir, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path.join(dir, 'enabled_plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
  };
}

/** @param machineBytes memory available to all processes together */
export function brokerConfiguration(port: number, machineBytes = memoryHere()): string {
  const memoryBytes = Math.min(MEMORY_BYTES, Math.floor(machineBytes * MEMORY_SHARE));
  return [
    `listeners.tcp.local = 127.0.0.1:${port}`,
    // Relative to the folder it runs in: the path may hold characters that this file gives a meaning.
    'load_definitions = definitions.json',
    `raft.wal_max_size_bytes = ${WAL_BYTES}`,
    `vm_memory_high_watermark.absolute = ${memoryBytes}`,
    `disk_free_limit.absolute = ${FREE_DISK_BYTES}`,
    'log.file = false',
    'log.console = true',
    'log.console.level = warning',
    '',
  ].join('\n');
}

function memoryHere(): number {
  const limit = process.constrainedMemory();
  // If there is no limit, it is reported as 0 or as more than the total memory.
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/**
 * The broker's user, read at every start of the broker: a new password takes effect with it.
 * @returns rabbitmq.com/docs/definitions, the hash by rabbitmq.com/docs/passwords
 */
export function brokerDefinitions(password: string, salt = randomBytes(4)): string {
  const digest = createHash('sha256').update(salt).update(password).digest();
  const everything = { configure: '.*', write: '.*', read: '.*' };
  return JSON.stringify({
    vhosts: [{ name: '/' }],
    users: [
      {
        name: USER,
        password_hash: Buffer.concat([salt, digest]).toString('base64'),
        hashing_algorithm: 'rabbit_password_hashing_sha256',
        tags: 'administrator',
      },
    ],
    permissions: [{ user: USER, vhost: '/', ...everything }],
  });
}
