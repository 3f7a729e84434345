/** A camera behind a link, in simulated time: what arrives when, and what is made of it. */
import { LinkDelay, type DelayNews } from '../src/actors/camera/clock/link-delay';
import type { Random } from './random';

export interface SimulatedLink {
  readonly seconds: number;
  readonly fps?: number;
  /** Milliseconds between keyframes; they are ten times as large. */
  readonly keyframeMs?: number;
  /** A packet comes when the next is complete, as of H.264 and H.265 with one slice a picture. */
  readonly withNext?: boolean;
  /** Every packet has the same size. */
  readonly equal?: boolean;
  /** What the camera's times say, by the true ones, milliseconds. */
  readonly media?: (elapsedMs: number, packet: number) => number;
  readonly outOfOrder?: boolean;
  /** What the link carries, by what the stream needs; Infinity by default. */
  readonly speed?: (elapsedMs: number) => number;
  /** Nothing passes while true; what was sent comes after. */
  readonly silent?: (elapsedMs: number) => boolean;
  readonly jitterMs?: number;
  /** The camera drops what it has not sent for longer. */
  readonly queueMs?: number;
  /** The camera's clock minus the true time; its reports state it every five seconds. */
  readonly senderMs?: (elapsedMs: number) => number;
  readonly maxDelayMs?: number;
}

export interface SimulatedOutcome {
  readonly news: readonly (DelayNews & { readonly at: number })[];
  readonly reopenings: number;
  readonly packets: readonly {
    readonly at: number;
    /** True and measured delay, milliseconds. */
    readonly trueMs: number;
    readonly exactMs: number;
    readonly markedMs: number | undefined;
  }[];
}

/** Bytes of a picture between keyframes. */
const BYTES = 8000;
const START_MS = 1_795_381_140_000;
const REPORT_MS = 5000;
const UNIT_MS = 1 / 90;

interface Sent {
  readonly capturedMs: number;
  readonly mediaMs: number;
  readonly bytes: number;
  readonly key: boolean;
}

export function simulateLink(random: Random, link: SimulatedLink): SimulatedOutcome {
  const { fps = 25, keyframeMs = 1000, jitterMs = 0, speed = () => Infinity, silent = () => false } = link;
  const { media = (ms: number) => ms, queueMs = Infinity, senderMs, maxDelayMs = 5000 } = link;
  const { equal = false, withNext = false } = link;
  const delay = new LinkDelay(maxDelayMs);
  const reports = new Reports(senderMs);
  const perKey = Math.round((keyframeMs * fps) / 1000);
  const meanBytes = equal ? BYTES : (BYTES * (perKey + 9)) / perKey;
  const news: (DelayNews & { at: number })[] = [];
  const packets: { at: number; trueMs: number; exactMs: number; markedMs: number | undefined }[] = [];
  let [freeAt, reopenings, awaitsKey, reopenedAt] = [0, 0, false, 0];
  let before: Sent | undefined;
  let mediaMs = -Infinity;

  const receive = (sent: Sent, arrivedMs: number): DelayNews | undefined => {
    const { mediaMs, bytes, capturedMs } = sent;
    const one = delay.came({ mediaMs, arrivedMs, bytes }, UNIT_MS);
    const told = reports.tell(sent);
    if (told !== undefined) delay.told({ mediaMs, arrivedMs, senderMs: told });
    const { exactMs, markedMs } = delay;
    packets.push({ at: arrivedMs, trueMs: arrivedMs - capturedMs, exactMs, markedMs });
    if (one !== undefined) news.push({ ...one, at: arrivedMs });
    return one;
  };

  for (let n = 0; n < link.seconds * fps; n++) {
    const capturedMs = (1000 * n) / fps;
    const key = n % perKey === 0;
    if (capturedMs < reopenedAt || (awaitsKey && !key)) continue;
    if (freeAt - capturedMs > queueMs) awaitsKey = true;
    if (awaitsKey && freeAt - capturedMs > queueMs / 2) continue;
    awaitsKey = false;
    const bytes = equal ? BYTES : Math.round(BYTES * (key ? 10 : 0.8 + 0.4 * random.next()));
    const rate = (speed(Math.max(freeAt, capturedMs)) * meanBytes * fps) / 1000;
    freeAt = Math.max(freeAt, capturedMs) + bytes / rate;
    while (silent(freeAt)) freeAt += 10;
    // As ffmpeg corrects times that go back; those of reordered pictures are derived from others.
    const own = media(capturedMs, n);
    mediaMs = link.outOfOrder === true ? own : Math.max(own, mediaMs + UNIT_MS);
    const sent = { capturedMs, mediaMs, bytes, key };
    const came = withNext ? before : sent;
    before = sent;
    const one = came === undefined ? undefined : receive(came, freeAt + jitterMs * random.next());
    if (one?.kind !== 'reopen') continue;
    reopenings++;
    delay.reopen();
    reports.reopen();
    reopenedAt = freeAt += 500;
    [awaitsKey, before, mediaMs] = [true, undefined, -Infinity];
  }
  return { news, reopenings, packets };
}

/** A camera's reports, one in five seconds: between two, its clock is that of the last and what media times say has passed. */
class Reports {
  #last: { readonly capturedMs: number; readonly senderMs: number; readonly mediaMs: number } | undefined;

  constructor(private readonly skewMs: ((elapsedMs: number) => number) | undefined) {}

  reopen(): void {
    this.#last = undefined;
  }

  /** The sender's time of a keyframe. */
  tell({ capturedMs, mediaMs, key }: Sent): number | undefined {
    if (!key || this.skewMs === undefined) return undefined;
    if (this.#last === undefined || capturedMs - this.#last.capturedMs >= REPORT_MS)
      this.#last = { capturedMs, mediaMs, senderMs: START_MS + capturedMs + this.skewMs(capturedMs) };
    return this.#last.senderMs + mediaMs - this.#last.mediaMs;
  }
}
