/** The pause before a feed is reopened, which ends early if the camera had left the network and returns. */
import { connect } from 'node:net';
import { aborted, sleep } from '../../../clock/sleep';
import type { CameraSource } from '../../../config/topology';
import { hostOf, portOf } from '../../../url/url';

/** Milliseconds between attempts, plus up to half at random: cameras behind one switch return together. */
const PROBE_MS = 1000;
/** A connection takes one round trip; a camera that is off does not answer. */
const ANSWER_MS = 1000;
/** Default ports of the protocols that run over TCP. */
const PORTS: Readonly<Record<string, number>> = {
  rtsp: 554,
  rtsps: 322,
  rtmp: 1935,
  rtmps: 443,
  http: 80,
  https: 443,
};

/** Resolves after `ms`, or with true as soon as the camera's port, which was closed, accepts connections. */
export async function sleepUntilBack(
  source: CameraSource,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  try {
    return await Promise.race([sleep(ms, until).then(() => false), opensAgain(source, until)]);
  } finally {
    over.abort();
  }
}

/**
 * Without a port, or if it is already open, which proves nothing, this settles only when `signal` is aborted.
 */
async function opensAgain(source: CameraSource, signal: AbortSignal): Promise<boolean> {
  const address = addressOf(source);
  for (let closed = 0; address !== undefined && !signal.aborted; closed++) {
    await sleep(PROBE_MS * (1 + Math.random() / 2), signal);
    if (!(await isOpen(address, signal))) continue;
    if (closed > 0) return true;
    break;
  }
  return aborted(signal).then(() => false);
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function addressOf(source: CameraSource): Address | undefined {
  if (source.kind !== 'stream' && source.kind !== 'still') return undefined;
  const scheme = source.url.slice(0, source.url.indexOf(':')).toLowerCase();
  const usual = PORTS[scheme];
  return usual === undefined ? undefined : { host: hostOf(source.url), port: portOf(source.url) ?? usual };
}

/** Sends nothing: the connection is closed as soon as it is established. */
async function isOpen(address: Address, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, signal, timeout: ANSWER_MS });
    const settle = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.on('error', () => settle(false));
  });
}
