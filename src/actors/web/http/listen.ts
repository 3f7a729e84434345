/** Where the server listens: on the configured port, or on the next that is free. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { readStat } from '../../../os/process-stat';
import { OWNER_ONLY, replaceFileSync } from '../../../os/replace-file';

/** Ports tried one after the other; behind them any is taken. */
const TRIED = 100;
const MAX_PORT = 65_535;
const FILE = 'http.json';

/** The address the previous process of the same daemon listened on: its clients reconnect there. */
interface Former {
  readonly daemon: string;
  readonly wanted: number;
  readonly port: number;
}

/** @throws NodeJS.ErrnoException when the address, and not the port, is what is wrong */
export async function listenNear(
  server: Server,
  wanted: number,
  host: string,
  dataDir: string,
): Promise<number> {
  const former = formerPort(dataDir, wanted);
  const near = Array.from({ length: TRIED }, (_, i) => wanted + i).filter((port) => port <= MAX_PORT);
  for (const port of [...(former === undefined ? [] : [former]), ...near, 0]) {
    try {
      await listen(server, port, host);
      const { port: taken } = server.address() as AddressInfo;
      remember(dataDir, { daemon: daemonName(), wanted, port: taken });
      return taken;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Error('no port is free');
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function formerPort(dataDir: string, wanted: number): number | undefined {
  try {
    const former = JSON.parse(readFileSync(path.join(dataDir, FILE), 'utf8')) as Partial<Former> | null;
    const isOurs = former?.daemon === daemonName() && former.wanted === wanted;
    return isOurs && Number.isInteger(former.port) ? former.port : undefined;
  } catch {
    return undefined;
  }
}

/** When a process was started: proc(5), stat. */
const STARTED = 22;

/** Identifies the process that started this one, even if its pid is reused. */
function daemonName(): string {
  const { ppid } = process;
  try {
    return `${ppid} ${readStat(ppid)(STARTED)}`;
  } catch {
    return String(ppid);
  }
}

/** A failed write must not keep the server from serving. */
function remember(dataDir: string, former: Former): void {
  try {
    replaceFileSync(path.join(dataDir, FILE), JSON.stringify(former), OWNER_ONLY);
  } catch {
    // The next process looks for a port again.
  }
}

/** For people and programs on this machine; a wildcard address cannot be connected to. */
export function urlOf(host: string, port: number, isSecure: boolean): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http${isSecure ? 's' : ''}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/`;
}
