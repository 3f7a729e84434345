/**
 * Which user's process listens on a port of this machine. While our broker is down, any process may: nothing is requested of it and no
 * password is sent unless it belongs to the same user.
 */
import { readFileSync } from 'node:fs';

/** The query parameter in which the daemon's own URLs name that user; other clients ignore it. */
const OWNER = 'owner';
/** proc(5); absent on systems other than Linux, where no owner is checked. */
const TABLE = '/proc/net/tcp';
/** 127.0.0.1, as machines of either byte order write it in that table. */
const LOOPBACK = /^(?:0100007F|7F000001):([0-9A-F]{4})$/;
const LISTEN = '0A';

/** @param uid of the user who runs the broker */
export function ownedBy(url: string, uid: number): string {
  const owned = new URL(url);
  owned.searchParams.set(OWNER, String(uid));
  return owned.href;
}

/** @throws Error for a URL with an owner if no program, or one of another user, listens; `brokerFault` has the text for it */
export function throwOnForeignListener(url: string): void {
  const { searchParams, port, host } = new URL(url);
  const owner = searchParams.get(OWNER);
  const table = owner === null ? undefined : readTable();
  if (table === undefined) return;
  const uid = listenerOf(table, Number(port));
  if (uid === undefined) throw new Error(`connect ECONNREFUSED ${host}`);
  if (uid !== Number(owner)) throw new Error(`foreign listener: user ${uid} listens on ${host}`);
}

/** Listener on that port of 127.0.0.1; undefined if no program listens. Pure. */
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
