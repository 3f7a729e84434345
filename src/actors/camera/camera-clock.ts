/**
 * Whose clock a camera's capture times are by: its own where sender reports tell it and it is sane, else that of this
 * machine at the arrival. Pure; kept while the camera's process lives, over all openings of its feed.
 */
import type { FrameClock } from '../../contract/frame';
import type { FaultRecord } from '../../protocol/fault';

/**
 * Bounds of a sane clock, milliseconds from the arrival. A picture is captured before it arrives: encoder, network and
 * a camera's rough NTP make up to some hundred of them. One that is ahead has a clock that differs from ours.
 */
export const MAX_BEHIND_MS = 2000;
export const MAX_AHEAD_MS = 500;
/** The newest measurements, one a keyframe: their median is the skew. The fewest to rely on. */
const SAMPLES = 9;
const ENOUGH_SAMPLES = 3;
/** By how much capture times may run faster or slower than arrivals: never backwards, never with a leap. */
const SLEW = 0.05;
/** Capture times so near to the camera's clock are called by it. */
const REACHED_MS = 20;
/** Arrivals that go back further are by a clock that was set. */
const SET_BACK_MS = 1000;

export type ClockState = 'unknown' | 'sane' | 'insane';

/** A capture time, and what is known of it. */
export interface CaptureTime extends FrameClock {
  readonly capturedAt: number;
}

export class CameraClock {
  #samples: number[] = [];
  /** Milliseconds of the camera's clock minus the arrival; undefined until it was told. */
  #skewMs: number | undefined;
  #state: ClockState = 'unknown';
  /** What is added to arrivals now, on its way to what it should be. */
  #offsetMs = 0;
  #lastArrival: number | undefined;

  /** @param startedAt when this process began: the one before it had ended then, and may have been ahead of that */
  constructor(private readonly startedAt?: number) {}

  get state(): ClockState {
    return this.#state;
  }

  /** Whole milliseconds of the camera's clock minus the arrival; undefined until it was told. */
  get skewMs(): number | undefined {
    return this.#skewMs === undefined ? undefined : Math.round(this.#skewMs);
  }

  /** How the newest capture time was made. */
  get now(): FrameClock {
    const clock = this.#state === 'sane' && this.#leftMs() <= REACHED_MS ? 'camera' : 'arrival';
    return { clock, ...(this.skewMs === undefined ? {} : { clockSkewMs: this.skewMs }) };
  }

  /** The feed is opened anew, maybe of a camera that has restarted: what is known holds until it is told again. */
  reopen(): void {
    this.#samples = [];
  }

  /**
   * The camera's clock was told: so many milliseconds after the arrival of the same packet.
   * @returns whether the {@link state} is another now
   */
  told(skewMs: number): boolean {
    this.#samples = [...this.#samples, skewMs].slice(-SAMPLES);
    const enough = this.#samples.length >= ENOUGH_SAMPLES;
    if (!enough && this.#state !== 'unknown') return false;
    this.#skewMs = median(this.#samples);
    const before = this.#state;
    if (enough)
      this.#state = this.#skewMs >= -MAX_BEHIND_MS && this.#skewMs <= MAX_AHEAD_MS ? 'sane' : 'insane';
    return this.#state !== before;
  }

  /**
   * The capture time of what arrived then. Later ones are later, and their distances those of the arrivals but for
   * {@link SLEW}; only where this machine's clock is set back, capture times go back with it.
   * @param arrivedAt milliseconds since the epoch
   */
  captureTime(arrivedAt: number): CaptureTime {
    if (arrivedAt < (this.#lastArrival ?? -Infinity) - SET_BACK_MS) this.#forget();
    if (this.#lastArrival === undefined) this.#offsetMs = this.#aheadOfBefore(arrivedAt);
    const mayMoveMs = SLEW * Math.max(0, arrivedAt - (this.#lastArrival ?? arrivedAt));
    this.#lastArrival = arrivedAt;
    const move = this.#wantedMs() - this.#offsetMs;
    this.#offsetMs += Math.min(mayMoveMs, Math.max(-mayMoveMs, move));
    return { capturedAt: Math.floor(arrivedAt + this.#offsetMs), ...this.now };
  }

  /** This machine's clock was set: what the camera's differed by from it before tells nothing. */
  #forget(): void {
    this.#samples = [];
    this.#skewMs = undefined;
    this.#state = 'unknown';
  }

  /** What the first capture time needs to be later than any of a process before this one. */
  #aheadOfBefore(arrivedAt: number): number {
    const missingMs = (this.startedAt ?? -Infinity) + MAX_AHEAD_MS - arrivedAt;
    return Math.min(MAX_AHEAD_MS, Math.max(0, missingMs));
  }

  #wantedMs(): number {
    return this.#state === 'sane' ? (this.#skewMs ?? 0) : 0;
  }

  #leftMs(): number {
    return Math.abs(this.#wantedMs() - this.#offsetMs);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** What an operator is told of a clock that is not taken for capture times. */
export function clockFault(skewMs: number): FaultRecord {
  const bound = skewMs < 0 ? `${String(MAX_BEHIND_MS)} ms behind` : `${String(MAX_AHEAD_MS)} ms ahead`;
  const by = `${String(Math.abs(skewMs))} ms ${skewMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  return {
    code: 'clock-insane',
    message: `its clock is ${by} (${bound} are taken): capture times are those of arrival; have both set their time by NTP`,
  };
}
