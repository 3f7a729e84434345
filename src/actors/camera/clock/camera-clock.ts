/**
 * Selects the clock for a camera's capture times: the camera's own if sender reports provide it and it is sane, else that of this
 * machine at the arrival. Pure; kept for the lifetime of the camera's process, across all openings of its feed.
 */
import { isClockUnset, RELEASED_AT } from '../../../clock/machine-clock';
import type { FrameClock } from '../../../contract/frame';
import type { FaultRecord } from '../../../fault/fault';
import { median } from './median';

/**
 * Bounds of a sane clock, milliseconds from the arrival. A picture is captured before it arrives: encoder,
 * network and a camera's rough NTP add up to some hundred milliseconds. A picture that is ahead shows that
 * the two clocks differ.
 */
export const MAX_BEHIND_MS = 2000;
export const MAX_AHEAD_MS = 500;
/** The skew is the median of this many newest measurements, one per keyframe; then the fewest to rely on. */
const SAMPLES = 9;
const ENOUGH_SAMPLES = 3;
/** Fraction by which capture times may run faster or slower than arrivals: they never go back or jump. */
const SLEW = 0.05;
/** How many times a feed is reopened because its clock is no longer reported. */
const MAX_LOST = 2;
/** Capture times within this distance of the camera's clock are labelled `camera`. */
const REACHED_MS = 20;
export type ClockState = 'unknown' | 'sane' | 'insane';

/** What is known about the difference between the camera's clock and this machine's. */
export type ClockDifference = Pick<CameraClock, 'skewMs' | 'machineSetMs'>;

/** A capture time, and what is known about it. */
export interface CaptureTime extends FrameClock {
  readonly capturedAt: number;
}

export class CameraClock {
  #samples: number[] = [];
  /** The camera's clock minus the arrival, milliseconds; undefined until it was reported. */
  #skewMs: number | undefined;
  #state: ClockState = 'unknown';
  /** Current correction of arrivals, which slews towards the intended value. */
  #offsetMs = 0;
  #lastArrival: number | undefined;
  #lastCapturedAt = -Infinity;
  #lost = 0;
  /** By how much this machine's clock was set, if that happened since the previous verdict. */
  #machineSetMs: number | undefined;

  /** @param startedAt when this process began; capture times of the previous one may be later than that */
  constructor(private readonly startedAt?: number) {}

  get state(): ClockState {
    return this.#state;
  }

  /** The camera's clock minus the arrival, whole milliseconds; undefined until it was reported. */
  get skewMs(): number | undefined {
    return this.#skewMs === undefined ? undefined : Math.round(this.#skewMs);
  }

  /** By how much this machine's clock was set, if that made the camera's clock sane or insane; forward is positive. */
  get machineSetMs(): number | undefined {
    return this.#machineSetMs;
  }

  /** How the newest capture time was made. */
  get now(): FrameClock {
    const clock = this.#state === 'sane' && this.#leftMs() <= REACHED_MS ? 'camera' : 'arrival';
    return {
      clock,
      ...(this.skewMs === undefined ? {} : { clockSkewMs: this.skewMs }),
      ...(isClockUnset(this.#lastArrival ?? RELEASED_AT) ? { clockUnset: true } : {}),
    };
  }

  /** Replaces another clock of this camera; capture times keep rising. */
  follow(before: CameraClock): void {
    this.#lastCapturedAt = before.#lastCapturedAt;
  }

  /**
   * ffmpeg stopped reporting the camera's clock.
   * @returns whether to reopen the feed, which is tried a few times
   */
  lost(): boolean {
    return ++this.#lost <= MAX_LOST;
  }

  /**
   * The feed is reopened: the skew is kept until the clock is reported again. The camera may have restarted.
   */
  reopen(): void {
    this.#samples = [];
  }

  /**
   * The camera's clock was reported for a packet.
   * @param skewMs the camera's clock minus the arrival of that packet, milliseconds
   * @returns whether the {@link state} has changed
   */
  told(skewMs: number): boolean {
    this.#samples = [...this.#samples, skewMs].slice(-SAMPLES);
    const enough = this.#samples.length >= ENOUGH_SAMPLES;
    if (!enough && this.#state !== 'unknown') return false;
    this.#skewMs = median(this.#samples);
    if (!enough || this.#judge(this.#skewMs) === this.#state) return false;
    this.#state = this.#judge(this.#skewMs);
    this.#machineSetMs = undefined;
    return true;
  }

  /**
   * This machine's clock was set forward (positive) or back by this much; the camera's was not.
   * @returns whether the {@link state} has changed
   */
  machineSet(setMs: number): boolean {
    if (this.#lastArrival !== undefined) this.#lastArrival += setMs;
    this.#lastCapturedAt = -Infinity;
    this.#samples = this.#samples.map((skewMs) => skewMs - setMs);
    if (this.#skewMs === undefined) return false;
    this.#skewMs -= setMs;
    if (this.#state === 'unknown' || this.#judge(this.#skewMs) === this.#state) return false;
    this.#state = this.#judge(this.#skewMs);
    this.#machineSetMs = setMs;
    return true;
  }

  /**
   * The capture time for an arrival. Capture times rise, at the intervals of the arrivals except for {@link
   * SLEW}; they jump only if this machine's clock is set.
   * @param arrivedAt arrival on a link without delay, milliseconds since the epoch
   */
  captureTime(arrivedAt: number): CaptureTime {
    if (this.#lastArrival === undefined) this.#offsetMs = this.#aheadOfBefore(arrivedAt);
    const mayMoveMs = SLEW * Math.max(0, arrivedAt - (this.#lastArrival ?? arrivedAt));
    this.#lastArrival = arrivedAt;
    const move = this.#wantedMs() - this.#offsetMs;
    this.#offsetMs += Math.min(mayMoveMs, Math.max(-mayMoveMs, move));
    this.#lastCapturedAt = Math.max(Math.floor(arrivedAt + this.#offsetMs), this.#lastCapturedAt + 1);
    return { capturedAt: this.#lastCapturedAt, ...this.now };
  }

  #judge(skewMs: number): 'sane' | 'insane' {
    return skewMs >= -MAX_BEHIND_MS && skewMs <= MAX_AHEAD_MS ? 'sane' : 'insane';
  }

  /** The amount by which the first capture time must be raised to be later than any of a previous process. */
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

/**
 * The report for an operator if a camera's clock is not used for capture times; undefined if this machine's
 * clock is known to be the wrong one. Otherwise it is not known which of the two is right.
 * @param now milliseconds since the epoch, by this machine's clock
 */
export function clockFault(
  { skewMs = 0, machineSetMs }: ClockDifference,
  now: number,
): FaultRecord | undefined {
  // The daemon reports an unset clock, once.
  if (isClockUnset(now)) return undefined;
  const using = 'capture times are those of arrival';
  const by = `${Math.abs(skewMs)} ms ${skewMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  const bound = skewMs < 0 ? `${MAX_BEHIND_MS} ms behind` : `${MAX_AHEAD_MS} ms ahead`;
  const since =
    machineSetMs === undefined
      ? ''
      : ` since this machine's was set ${machineSetMs > 0 ? 'forward' : 'back'} by ${Math.abs(machineSetMs)} ms`;
  const toDo = isClockUnset(now + skewMs)
    ? `the camera's says ${new Date(Math.max(0, now + skewMs)).toISOString()} and is wrong; set it, by NTP if it can`
    : `see which of the two is right, and sync both with NTP`;
  return { code: 'clock-insane', message: `its clock is ${by}${since} (limit: ${bound}): ${using}; ${toDo}` };
}
