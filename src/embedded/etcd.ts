/** A private etcd of one node, to try a fleet on one machine. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { Etcd } from '../etcd/etcd';
import { ETCD_SOCKET, etcdEndpoint } from '../etcd/socket';
import { ExitFault } from '../fault/fault';
import type { Log } from '../log/log';
import { findProgram } from '../os/orphans';
import { predecessorLeft, ServerProcess } from './server-process';
import type { EmbeddedService } from './service';

/** Relative to the folder it runs in, whose path may be longer than a socket's may be. */
const CLIENTS = `unix://${ETCD_SOCKET}`;
const PEER_SOCKET = 'peers.sock:0';
const PEERS = `unix://${PEER_SOCKET}`;

export async function prepareEtcd(dir: string, log: Log): Promise<EmbeddedService> {
  const lockFile = path.join(dir, 'server.lock');
  await predecessorLeft(lockFile);
  const url = etcdEndpoint(dir);
  let server: ServerProcess | undefined;
  return {
    name: 'etcd',
    url,
    ownUrl: url,
    start: async (startMs) => {
      const program = findProgram('etcd');
      if (program === undefined) throw new ExitFault('missing-program', 'etcd is not installed');
      // Left by a killed process, they would keep it from listening.
      for (const socket of [ETCD_SOCKET, PEER_SOCKET]) rmSync(path.join(dir, socket), { force: true });
      server = new ServerProcess(
        {
          name: 'etcd',
          program,
          args: ARGUMENTS,
          env: environment(),
          cwd: dir,
          lockFile,
          messageOf,
          onParentDeath: 'TERM',
        },
        log,
      );
      await server.ready(() => ask(url), startMs);
      return server;
    },
    stop: async (deadlineMs) => {
      await server?.stop(deadlineMs);
    },
  };
}

const ARGUMENTS = [
  ...['--name', 'vigil', '--data-dir', 'data', '--initial-cluster', `vigil=${PEERS}`],
  ...['--listen-client-urls', CLIENTS, '--advertise-client-urls', CLIENTS],
  ...['--listen-peer-urls', PEERS, '--initial-advertise-peer-urls', PEERS],
  // Nodes renew their keys every few seconds; old revisions are never read.
  ...['--auto-compaction-mode', 'periodic', '--auto-compaction-retention', '10m'],
  ...['--logger', 'zap', '--log-outputs', 'stderr', '--log-level', 'warn'],
];

/** The message in a line of etcd's log, which is JSON and includes the source location. */
function messageOf(line: string): string {
  try {
    const { msg = line, error } = JSON.parse(line) as { msg?: string; error?: string };
    return error === undefined ? msg : `${msg}: ${error}`;
  } catch {
    return line;
  }
}

function environment(): NodeJS.ProcessEnv {
  const env = { PATH: process.env['PATH'] };
  // etcd 3.4 requires this on processors on which its authors did not test it.
  return process.arch === 'arm64' ? { ...env, ETCD_UNSUPPORTED_ARCH: 'arm64' } : env;
}

async function ask(url: string): Promise<void> {
  const etcd = new Etcd({ endpoints: [url] });
  try {
    await etcd.get('/vigil/');
  } finally {
    await etcd.close();
  }
}
