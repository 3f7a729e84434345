/** Whether media times run at the rate of the sender's own clock: reports contain both. Pure. */
import type { Link } from './link-evidence';

interface Told {
  readonly mediaMs: number;
  readonly senderMs: number;
  readonly arrivedMs: number;
}

/** How long reported times are kept for comparison. */
const KEEP_MS = 60_000;
/** Times closer together may be of one report; between reports, ffmpeg derives them from media times. */
const APART_MS = 12_000;
/** A media lag below this does not count as late. */
const LATE_MS = 300;
/** Share of the media lag that the sender's clock shows: at least this if the link is full, at most `LEAST` if media times are wrong. */
const MOST = 0.7;
const LEAST = 0.3;

export class SenderEvidence {
  #told: Told[] = [];

  told(one: Told): void {
    this.#told = [...this.#told.filter(({ arrivedMs }) => arrivedMs > one.arrivedMs - KEEP_MS), one];
  }

  /** `room` where media times lag and the sender's clock does not: they are wrong. */
  get link(): Link {
    const [first, last] = [this.#told[0], this.#told.at(-1)];
    if (first === undefined || last === undefined) return 'unknown';
    const passedMs = last.arrivedMs - first.arrivedMs;
    const mediaLagMs = passedMs - (last.mediaMs - first.mediaMs);
    const senderLagMs = passedMs - (last.senderMs - first.senderMs);
    if (passedMs < APART_MS || mediaLagMs < LATE_MS) return 'unknown';
    const part = senderLagMs / mediaLagMs;
    if (Math.abs(part) <= LEAST) return 'room';
    return part >= MOST && part <= 2 - MOST ? 'full' : 'unknown';
  }
}
