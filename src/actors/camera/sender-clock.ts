/**
 * How far the sender's clock is from the arrival of its packets. RTCP sender reports tell ffmpeg the sender's time of
 * every packet; it writes that of keyframes beside the packets (see ffmpeg-arguments.ts). Pure.
 */
import type { Packet } from './packet-splitter';
import { PrftReader, type ProducerTime } from './prft';

/** The unit of RTP times of video (RFC 6184, RFC 7798, RFC 2435), in which ffmpeg writes the packet's arrival too. */
const TICKS_PER_MS = 90;
/** From 1900 to 1970: NTP times to those of Unix (RFC 5905, figure 4). */
const NTP_TO_UNIX_S = 2_208_988_800;
const NTP_ERA_S = 2 ** 32;
/** Keyframes whose time is awaited at most: it comes with the next one. */
const MAX_AWAITED = 64;

export class SenderClock {
  readonly #reader = new PrftReader();
  /** Arrivals, in ticks, of keyframes of which the sender's time is known to ffmpeg. */
  #awaited: number[] = [];
  /** Times that came before the packet they are of: they have a pipe of their own. */
  #early: ProducerTime[] = [];

  /**
   * A packet came.
   * @returns what became known: the sender's clock minus the arrival, milliseconds
   */
  saw({ pts, key, hasSenderTime }: Packet): number[] {
    // Without a report ffmpeg writes its own clock, which tells nothing.
    if (!key || hasSenderTime !== true || pts === undefined) return [];
    this.#awaited = [...this.#awaited, Math.round(pts * TICKS_PER_MS)].slice(-MAX_AWAITED);
    return this.#match();
  }

  /** More of the MP4 came; see {@link saw}. */
  push(chunk: Buffer): number[] {
    this.#early = [...this.#early, ...this.#reader.push(chunk)].slice(-MAX_AWAITED);
    return this.#match();
  }

  #match(): number[] {
    const awaited = new Set(this.#awaited);
    const found = this.#early.filter(({ mediaTime }) => awaited.has(mediaTime));
    if (found.length === 0) return [];
    const times = new Set(found.map(({ mediaTime }) => mediaTime));
    this.#awaited = this.#awaited.filter((ticks) => !times.has(ticks));
    this.#early = this.#early.filter(({ mediaTime }) => !times.has(mediaTime));
    return found.map(skewMs);
  }
}

/** Of all the times that NTP's seconds may mean, the one nearest to the arrival: the skew is 68 years at most. */
function skewMs({ ntpSeconds, mediaTime }: ProducerTime): number {
  const skewS = ntpSeconds - NTP_TO_UNIX_S - mediaTime / TICKS_PER_MS / 1000;
  return 1000 * (skewS - NTP_ERA_S * Math.round(skewS / NTP_ERA_S));
}
