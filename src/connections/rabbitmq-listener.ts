/**
 * Whose process listens on a port of this machine. Anybody's may, while ours does not: a broker of our own is asked for
 * nothing, and given no password, unless it belongs to the same user.
 */
import { readFileSync } from 'node:fs';

/** The query by which a URL of the daemon's own names that user; clients of others know nothing of it. */
const OWNER = 'owner';
/** proc(5); absent on systems other than Linux, where no owner is checked. */
const TABLE = '/proc/net/tcp';
/** 127.0.0.1, as machines of either byte order write it there. */
const LOOPBACK = /^(?:0100007F|7F000001):([0-9A-F]{4})$/;
const LISTEN = '0A';

/** @param uid of whoever runs the broker */
export function ownedBy(url: string, uid: number): string {
  const owned = new URL(url);
  owned.searchParams.set(OWNER, String(uid));
  return owned.href;
}

/** @throws Error for a URL with an owner where no program, or one of another user, listens; `brokerFault` words it */
export function throwOnForeignListener(url: string): void {
  const { searchParams, port, host } = new URL(url);
  const owner = searchParams.get(OWNER);
  const table = owner === null ? undefined : readTable();
  if (table === undefined) return;
  const uid = listenerOf(table, Number(port));
  if (uid === undefined) throw new Error(`connect ECONNREFUSED ${host}`);
  if (uid !== Number(owner)) throw new Error(`foreign listener: user ${uid} listens on ${host}`);
}

/** Of the port on 127.0.0.1; undefined where no program listens. Pure. */
export function listenerOf(table: string, port: number): number | undefined {
  for (const line of table.split('\n')) {
    const [, local = '', , state, , , , uid] = line.trim().split(/\s+/);
    const [, listening] = LOOPBACK.exec(local) ?? [];
    if (state === LISTEN && listening !== undefined && Number.parseInt(listening, 16) === port)
      return Number(uid);
  }
  return undefined;
}

function readTable(): string | undefined {
  try {
    return readFileSync(TABLE, 'utf8');
  } catch {
    return undefined;
  }
}
