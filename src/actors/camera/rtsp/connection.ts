/** A connection to a camera, over TLS if its address says so. */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { CameraTls } from '../../../config/topology';
import { errorFault, lateFault } from '../http/http-fault';
import { tlsOptions } from '../http/trust';
import type { RtspAddress } from './address';

/** @param tls how the camera's certificate is verified; undefined: any is accepted, as by ffmpeg */
export function connectTo(
  { scheme, host, port }: Pick<RtspAddress, 'scheme' | 'host' | 'port'>,
  tls: CameraTls | undefined,
  onConnected: () => void,
): Socket {
  if (scheme === 'rtsp') return connect({ host, port }, onConnected);
  const named = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port, ...tlsOptions(tls), ...named }, onConnected);
}

/**
 * Connects once and disconnects, on behalf of a client that verifies less strictly or has poorer messages.
 * @param url of RTMP over TLS
 * @throws Fault with the reason the camera is not trusted, or cannot be reached; its message follows the feed's name
 */
export async function verifyPeer(
  url: string,
  tls: CameraTls,
  limitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const end = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  let socket: Socket | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      socket = connectTo({ scheme: 'rtsps', host, port: Number(port || 443) }, tls, resolve);
      socket.on('error', (error) => reject(errorFault(error)));
      end.addEventListener('abort', () => reject(lateFault('connecting', limitMs)));
    });
  } finally {
    socket?.destroy();
  }
}
