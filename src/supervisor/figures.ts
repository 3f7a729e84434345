/** Totals since the daemon's start, for monitoring: a few additions per frame. */
import type { Frame } from '../contract/frame';
import type { Gap } from '../contract/message';
import type { DeliveredFrame } from '../protocol/messages';

/** Upper bounds of the buckets for the latency from capture to confirm, seconds. */
export const LATENCY_BOUNDS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const;
/** Frames per camera whose capture time is remembered until they are confirmed; in a longer backlog the oldest are not timed. */
const MAX_UNDERWAY = 256;

export interface CameraFigures {
  readonly captured: number;
  readonly confirmed: number;
  /** Frames by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Milliseconds by reason. */
  readonly gapMs: Readonly<Record<string, number>>;
}

export interface Figures {
  readonly cameras: Readonly<Record<string, CameraFigures>>;
  /** Latency from capture to confirm, all cameras: frames in each bucket; the last has no bound. */
  readonly latency: { readonly counts: readonly number[]; readonly sumMs: number };
  /** Unexpected ends of processes: by actor, by code. */
  readonly ends: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export const NO_FIGURES: Figures = { cameras: {}, latency: { counts: [], sumMs: 0 }, ends: {} };

interface Tally {
  captured: number;
  confirmed: number;
  readonly dropped: Record<string, number>;
  readonly gapMs: Record<string, number>;
  /** Capture times by sequence. */
  readonly underway: Map<number, number>;
  periodMs: number;
  /** Gaps up to this period are counted: some are sent again to a new notifier. */
  countedTo: number;
}

export class FigureKeeper {
  readonly #tallies = new Map<string, Tally>();
  readonly #ends: Record<string, Record<string, number>> = {};
  readonly #latency = { counts: [...LATENCY_BOUNDS_S, Infinity].map(() => 0), sumMs: 0 };

  /** @param nowMs the clock that capture times are by, milliseconds since the epoch */
  constructor(private readonly nowMs: () => number = Date.now) {}

  periods({ camera, periodMs }: { readonly camera: string; readonly periodMs: number }): void {
    const tally = this.#tally(camera);
    if (tally.periodMs === periodMs) return;
    tally.periodMs = periodMs;
    // The numbering has changed.
    tally.countedTo = -1;
    tally.underway.clear();
  }

  captured({ camera, sequence, capturedAt }: Pick<Frame, 'camera' | 'sequence' | 'capturedAt'>): void {
    const tally = this.#tally(camera);
    tally.captured++;
    tally.underway.set(sequence, capturedAt);
    if (tally.underway.size <= MAX_UNDERWAY) return;
    for (const oldest of tally.underway.keys()) {
      tally.underway.delete(oldest);
      return;
    }
  }

  delivered(frames: readonly DeliveredFrame[]): void {
    const nowMs = this.nowMs();
    for (const { camera, sequence } of frames) {
      const tally = this.#tally(camera);
      tally.confirmed++;
      const capturedAt = tally.underway.get(sequence);
      if (capturedAt === undefined) continue;
      tally.underway.delete(sequence);
      this.#time(Math.max(0, nowMs - capturedAt));
    }
  }

  dropped(frames: readonly (Pick<Frame, 'camera' | 'sequence'> & { readonly reason: string })[]): void {
    for (const { camera, sequence, reason } of frames) {
      const tally = this.#tally(camera);
      tally.underway.delete(sequence);
      tally.dropped[reason] = (tally.dropped[reason] ?? 0) + 1;
    }
  }

  missed({ camera, firstSequence, lastSequence, reason }: Gap): void {
    const tally = this.#tally(camera);
    const periods = lastSequence - Math.max(firstSequence - 1, tally.countedTo);
    if (periods <= 0) return;
    tally.countedTo = lastSequence;
    tally.gapMs[reason] = (tally.gapMs[reason] ?? 0) + periods * tally.periodMs;
  }

  /** An actor's process has ended unexpectedly. */
  ended(name: string, code: string): void {
    const of = (this.#ends[name] ??= {});
    of[code] = (of[code] ?? 0) + 1;
  }

  forget(camera: string): void {
    this.#tallies.delete(camera);
  }

  get figures(): Figures {
    const cameras = [...this.#tallies].map(([id, { captured, confirmed, dropped, gapMs }]) => [
      id,
      { captured, confirmed, dropped, gapMs },
    ]);
    return {
      cameras: Object.fromEntries(cameras) as Figures['cameras'],
      latency: this.#latency,
      ends: this.#ends,
    };
  }

  #time(ms: number): void {
    const { counts } = this.#latency;
    const at = LATENCY_BOUNDS_S.findIndex((bound) => ms <= bound * 1000);
    const place = at === -1 ? counts.length - 1 : at;
    counts[place] = (counts[place] ?? 0) + 1;
    this.#latency.sumMs += ms;
  }

  #tally(camera: string): Tally {
    let tally = this.#tallies.get(camera);
    if (tally === undefined) {
      const none = { captured: 0, confirmed: 0, dropped: {}, gapMs: {} };
      tally = { ...none, underway: new Map(), periodMs: 0, countedTo: -1 };
      this.#tallies.set(camera, tally);
    }
    return tally;
  }
}
