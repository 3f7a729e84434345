/**
 * Bytes that wait unread in a program's sockets: whether the network or this machine delays a feed. Linux.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One line of /proc/net/tcp: `sl local remote state tx:rx ... inode`. https://docs.kernel.org/networking/proc_net_tcp.html */
const LINE = /^\s*\d+: \S+ \S+ \S+ [0-9A-F]+:([0-9A-F]+) \S+ \S+\s+\d+\s+\d+ (\d+)/;
const TABLES = ['tcp', 'tcp6', 'udp', 'udp6'] as const;

/** Bytes waiting in the sockets of a process; 0 if not known. */
export function receiveBacklog(pid: number): number {
  const inodes = socketInodes(pid);
  return TABLES.map((table) => backlogIn(read(`/proc/${pid}/net/${table}`), inodes)).reduce(
    (sum, bytes) => sum + bytes,
    0,
  );
}

/** Computes it from the text of a socket table. Pure. */
export function backlogIn(table: string, inodes: ReadonlySet<string>): number {
  return table
    .split('\n')
    .map((line) => LINE.exec(line))
    .filter((match) => match !== null && inodes.has(match[2] ?? ''))
    .reduce((sum, match) => sum + parseInt(match?.[1] ?? '0', 16), 0);
}

function socketInodes(pid: number): Set<string> {
  const folder = `/proc/${pid}/fd`;
  try {
    const targets = readdirSync(folder).map((fd) => link(`${folder}/${fd}`));
    return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
  } catch {
    return new Set();
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
