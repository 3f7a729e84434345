/** A connection to a camera, with TLS where its address says so. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isIP } from 'node:net';
import type { RtspAddress } from './address';

/** Cameras have certificates of their own making: like ffmpeg, it takes any. */
export function connectTo({ scheme, host, port }: RtspAddress, onConnected: () => void): Socket {
  if (scheme === 'rtsp') return connect({ host, port }, onConnected);
  const named = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port, rejectUnauthorized: false, ...named }, onConnected);
}
