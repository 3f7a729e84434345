/** The Unix socket of an etcd on this machine. Pure. */
import path from 'node:path';

/**
 * In the folder of its data. etcd requires a port after the name, which is part of the file's name. Only the folder's owner
 * can enter it: neither port nor password is needed.
 */
export const ETCD_SOCKET = 'etcd.sock:0';
export const SOCKET_SCHEME = 'unix:';

/** How an endpoint names it. */
export function etcdEndpoint(dir: string): string {
  return `${SOCKET_SCHEME}${path.join(dir, ETCD_SOCKET)}`;
}
