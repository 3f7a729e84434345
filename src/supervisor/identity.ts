/** How a daemon identifies itself to others on the same servers: by its data directory, which one daemon at a time holds. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import type { FleetSpec, Topology } from '../config/topology';
import type { Holder } from '../connections/namespace-lease';
import type { DataDirectory } from './data-directory';

/** random(4): new at each boot of the machine, the same in all its containers. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/**
 * The same for every daemon that follows another on this data directory, until the machine reboots. A copy of the directory
 * is another daemon: its files are different ones, here or on another machine.
 */
export function identityOf({ dir, lockFile }: Pick<DataDirectory, 'dir' | 'lockFile'>): Holder {
  const { dev, ino, birthtimeMs } = statSync(lockFile);
  const id = createHash('sha256').update([dev, ino, birthtimeMs, machine()].join(' ')).digest('hex');
  return {
    id: id.slice(0, 32),
    name: `daemon with pid ${process.pid} on host ${hostname()} (data directory ${dir})`,
  };
}

/** Who holds the namespace: this daemon, or its fleet, whose nodes are one holder to those outside it. */
export function holderOf({ fleet }: Pick<Topology, 'fleet'>, own: Holder): Holder {
  if (fleet === undefined) return own;
  const id = createHash('sha256').update(`fleet ${fleet.name}`).digest('hex');
  return { id: id.slice(0, 32), name: `fleet "${fleet.name}", ${own.name}`, isShared: true };
}

/** The name of this node of a fleet. */
export function nodeName({ node }: FleetSpec): string {
  return node ?? hostname();
}

function machine(): string {
  try {
    return readFileSync(BOOT_ID, 'utf8').trim();
  } catch {
    return hostname();
  }
}
