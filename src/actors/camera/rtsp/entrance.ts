/** Queries an RTSP camera before ffmpeg opens it, and keeps the answer across the openings of the feed. */
import type { CameraSource, CameraTls } from '../../../config/topology';
import { Fault } from '../../../fault/fault';
import { feedName } from '../../../config/feed-name';
import { addressUrl, readAddress, type RtspAddress } from './address';
import { verifyPeer } from './connection';
import type { RtspAnswer } from './answer';
import type { Trust } from './conversation';
import { askRtsp } from './question';
import { startRelay } from './relay';

/**
 * Milliseconds ffmpeg is kept waiting for the answer. ffmpeg needs 90 to start, a camera 5 to 100 to describe
 * its stream. A camera that takes longer is opened without an answer.
 */
const PATIENCE_MS = 1000;

/** What ffmpeg opens, and what DESCRIBE said about it. */
export interface Entry {
  readonly url: string;
  /** There are several video tracks, and only the first is to be requested. */
  readonly firstTrackOnly: boolean;
  /** Undefined if the camera was not queried. */
  readonly answer?: RtspAnswer;
  close(): void;
}

export class RtspEntrance {
  #answer: RtspAnswer | undefined;
  /** The answer has led to packets, so the camera is not queried again. */
  #proven = false;
  /** The camera was queried for the newest opening. */
  #asked = false;

  /** A packet came. */
  received(): void {
    this.#proven = true;
  }

  /**
   * The camera refused the stream it had described. Some cameras serve one client only and still count the
   * connection of the query, so the next opening relies on the answer.
   * @returns whether the camera was queried for this opening, so that an immediate retry is worthwhile
   */
  refused(): boolean {
    this.#proven ||= this.#asked;
    return this.#asked;
  }

  /**
   * Queries the camera, unless the previous answer has proven good.
   * @throws Fault if ffmpeg need not try: `redirect`, `unauthorized`, `unknown-authentication`,
   * `not-a-stream`
   */
  async enter(
    source: CameraSource,
    connectMs: number,
    signal: AbortSignal,
    onBasic?: () => void,
  ): Promise<Entry> {
    if (source.kind === 'stream' && source.tls !== undefined && source.url.startsWith('rtmps:'))
      await verified(source, source.tls, connectMs, signal);
    if (source.kind !== 'stream' || !/^rtsps?:/.test(source.url)) return plain(source);
    const known = this.#proven ? this.#answer : undefined;
    this.#proven = false;
    this.#asked = known === undefined;
    const patience = { firstMs: Math.min(PATIENCE_MS, connectMs), redirectedMs: connectMs };
    this.#answer = known ?? (await askRtsp(source.url, patience, signal, { ...trustOf(source), onBasic }));
    return enterBy(this.#answer, source);
  }
}

/** ffmpeg verifies too, but less strictly: this provides the message. */
async function verified(
  source: CameraSource & { readonly kind: 'stream' },
  tls: CameraTls,
  connectMs: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await verifyPeer(source.url, tls, connectMs, signal);
  } catch (error) {
    throw error instanceof Fault ? new Fault(error.code, `${feedName(source)} ${error.message}`) : error;
  }
}

function trustOf({ url, tls }: CameraSource & { readonly kind: 'stream' }): Pick<Trust, 'tls'> {
  return tls !== undefined && url.startsWith('rtsps:') ? { tls } : {};
}

/** ffmpeg verifies no certificate over RTSP, so it connects through a relay that does. */
async function enterBy(
  answer: RtspAnswer,
  source: CameraSource & { readonly kind: 'stream' },
): Promise<Entry> {
  const { tls } = trustOf(source);
  const named = readAddress(source.url);
  if (tls === undefined || answer.kind === 'refused' || named === undefined)
    return enterDirectly(answer, source);
  const address = 'address' in answer ? answer.address : named;
  if (address.scheme !== 'rtsps')
    throw new Fault(
      'redirect',
      `${feedName(source)} redirects to an address without encryption, where its certificate cannot be verified; put the address of its stream into "url"`,
    );
  const relay = await startRelay(address, tls);
  const { firstTrackOnly } = tracksOf(answer);
  return { ...relay, firstTrackOnly, answer };
}

function tracksOf(answer: RtspAnswer): Pick<Entry, 'firstTrackOnly'> {
  if (answer.kind !== 'described') return { firstTrackOnly: false };
  const { tracks, transportStream } = answer.described;
  return { firstTrackOnly: tracks.filter((kind) => kind === 'video').length > 1 && !transportStream };
}

async function enterDirectly(answer: RtspAnswer, source: CameraSource): Promise<Entry> {
  switch (answer.kind) {
    case 'refused':
      throw new Fault(answer.fault.code, `${feedName(source)} ${answer.fault.message}`);
    case 'guarded': {
      const relay = await startRelay(answer.address);
      return { ...relay, firstTrackOnly: false, answer };
    }
    case 'described':
    case 'other':
      return { ...at(answer.address), ...tracksOf(answer), answer };
    case 'unreached':
    case 'unconnected':
    case 'unanswered':
      return { ...plain(source), answer };
  }
}

function at(address: RtspAddress): Pick<Entry, 'url' | 'close'> {
  return { url: addressUrl(address), close: () => undefined };
}

function plain(source: CameraSource): Entry {
  const url = source.kind === 'stream' ? source.url : '';
  return { url, firstTrackOnly: false, close: () => undefined };
}
