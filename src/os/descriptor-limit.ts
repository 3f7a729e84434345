/** How many files this process may have open (getrlimit(2), RLIMIT_NOFILE), and how many it has. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { findProgram } from './orphans';

interface Limits {
  /** The limit in force. */
  readonly soft: number;
  /** The limit up to which any process may raise its own; Node does so at its start. */
  readonly hard: number;
}

/** The limit in force; undefined if the kernel does not report it. */
export function descriptorLimit(): number | undefined {
  return limits()?.soft;
}

function limits(): Limits | undefined {
  try {
    const text = readFileSync('/proc/self/limits', 'utf8');
    const [, soft, hard] = /^Max open files\s+(\d+)\s+(\d+)/m.exec(text) ?? [];
    return hard === undefined ? undefined : { soft: Number(soft), hard: Number(hard) };
  } catch {
    return undefined;
  }
}

/** How many more can be opened; undefined if the kernel does not report it. */
export function descriptorsLeft(): number | undefined {
  const limit = descriptorLimit();
  if (limit === undefined) return undefined;
  try {
    return limit - readdirSync('/proc/self/fd').length;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EMFILE' ? 0 : undefined;
  }
}

/** Raises the limit to `wanted` for this process and what it starts from now on; above the hard one only root may. */
export function raiseDescriptorLimit(wanted: number): void {
  const prlimit = findProgram('prlimit');
  if (prlimit === undefined) return;
  const both = `${wanted}:${Math.max(wanted, limits()?.hard ?? wanted)}`;
  spawnSync(prlimit, ['--pid', String(process.pid), `--nofile=${both}`], { env: {}, stdio: 'ignore' });
}
