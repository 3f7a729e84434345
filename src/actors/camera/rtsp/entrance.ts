/** How an RTSP feed is entered: what the camera was asked before ffmpeg opens it, kept over the openings of the feed. */
import type { CameraSource } from '../../../config/topology';
import { Fault } from '../../../protocol/fault';
import { feedName } from '../feed-fault';
import { addressUrl, type RtspAddress } from './address';
import { askRtsp, type RtspAnswer } from './question';
import { startRelay } from './relay';

/**
 * Milliseconds ffmpeg is kept waiting for the answer. It needs 90 to start, a camera 5 to 100 to describe its stream. A camera
 * that takes longer is opened without having been asked.
 */
const PATIENCE_MS = 1000;

/** What ffmpeg opens, and what is known of it. */
export interface Entry {
  readonly url: string;
  /** Several video tracks, of which the first is wanted: the others are not to be asked for. */
  readonly firstTrackOnly: boolean;
  /** Undefined where it was not asked. */
  readonly answer?: RtspAnswer;
  close(): void;
}

export class RtspEntrance {
  #answer: RtspAnswer | undefined;
  /** Packets came by way of that answer: it is not asked again. */
  #proven = false;
  /** It was asked for the newest opening. */
  #asked = false;

  /** A packet came. */
  received(): void {
    this.#proven = true;
  }

  /**
   * The camera then refused what it had described. Some have room for one client only, and not yet forgotten who asked: the next opening
   * relies on that answer.
   * @returns whether it was asked for this opening, and the next is worth its while at once
   */
  refused(): boolean {
    this.#proven ||= this.#asked;
    return this.#asked;
  }

  /**
   * Asks, unless what was answered before has proven good.
   * @throws Fault when ffmpeg need not try: `redirect`, `unauthorized`, `unknown-authentication`, `not-a-stream`
   */
  async enter(source: CameraSource, connectMs: number, signal: AbortSignal): Promise<Entry> {
    if (source.kind !== 'stream' || !/^rtsps?:/.test(source.url)) return plain(source);
    const known = this.#proven ? this.#answer : undefined;
    this.#proven = false;
    this.#asked = known === undefined;
    const patience = { firstMs: Math.min(PATIENCE_MS, connectMs), redirectedMs: connectMs };
    this.#answer = known ?? (await askRtsp(source.url, patience, signal));
    return enterBy(this.#answer, source);
  }
}

async function enterBy(answer: RtspAnswer, source: CameraSource): Promise<Entry> {
  switch (answer.kind) {
    case 'refused':
      throw new Fault(answer.fault.code, `${feedName(source)} ${answer.fault.message}`);
    case 'guarded': {
      const relay = await startRelay(answer.address);
      return { ...relay, firstTrackOnly: false, answer };
    }
    case 'described': {
      const { tracks, transportStream } = answer.described;
      const several = tracks.filter((kind) => kind === 'video').length > 1;
      return { ...at(answer.address), firstTrackOnly: several && !transportStream, answer };
    }
    case 'other':
      return { ...at(answer.address), firstTrackOnly: false, answer };
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
