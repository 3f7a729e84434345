/** Decides which frame is handled next. Pure: time and random numbers are passed in. */
import { backOffMs, type BackOff } from '../clock/back-off';

export interface Candidate {
  readonly key: string;
  readonly camera: string;
  /** Capture time, milliseconds since the epoch. */
  readonly capturedAt: number;
  /** Delivered before to a process that did not finish it, and that it may have killed. */
  readonly isSuspect: boolean;
  /** It waited during an outage or was delivered before: other frames of its camera may have overtaken it. */
  readonly isLate: boolean;
}

/** Pause between tries while the consumer is in trouble: after a while, one try every few seconds. */
const PAUSE: BackOff = { firstMs: 200, capMs: 5000 };
/** A frame that kills a process does so sooner; one that takes longer must not block the others. */
export const ALONE_MS = 30_000;
/** A frame that fails for this long while this many others succeed is itself the cause. */
const OWN_TROUBLE_MS = 10_000;
const OWN_TROUBLE_SUCCESSES = 3;

interface Pause {
  readonly sinceMs: number;
  attempt: number;
  /** When the next frame is tried. */
  untilMs: number;
}

/** Since when a frame is in trouble, and how many others had succeeded by then. */
interface Suffering {
  readonly sinceMs: number;
  readonly successes: number;
}

/** Times are of one monotonic clock, in milliseconds. */
export class Turns<T extends Candidate> {
  #waiting: T[] = [];
  /** Frames being handled, with the time their handling began. */
  readonly #atWork = new Map<T, number>();
  readonly #keysAtWork = new Set<string>();
  /** Suspects that wait or are being handled. */
  readonly #suspects = new Set<T>();
  #pause: Pause | undefined;
  readonly #suffering = new Map<T, Suffering>();
  #successes = 0;
  /** When each camera's last turn was due, as a count of turns; only with `latestOnly`. */
  readonly #served = new Map<string, number>();
  /** When the turn that a camera has kept was due. */
  readonly #kept = new Map<string, number>();
  /** Capture time of the newest frame of each camera that has had its turn. */
  readonly #newest = new Map<string, number>();
  #turn = 0;

  /**
   * @param limit frames handled at the same time
   * @param latestOnly only the newest frame of each camera waits, and one is handled at a time; cameras take
   * turns
   * @param ordered frames of a camera are handled one at a time, in the order of arrival
   */
  constructor(
    private readonly limit: number,
    private readonly latestOnly: boolean,
    private readonly ordered = false,
  ) {}

  /** Number of frames that are waiting or being handled. */
  get size(): number {
    return this.#atWork.size + this.#waiting.length;
  }

  get isPaused(): boolean {
    return this.#pause !== undefined;
  }

  get hasSuspects(): boolean {
    return this.#suspects.size > 0;
  }

  isAtWork(key: string): boolean {
    return this.#keysAtWork.has(key);
  }

  /** Returns frames that a newer one of their camera has made superfluous: none without `latestOnly`. */
  add(candidate: T): T[] {
    this.#waiting.push(candidate);
    if (candidate.isSuspect) this.#suspects.add(candidate);
    if (!this.latestOnly) return [];
    const { camera, capturedAt, isLate } = candidate;
    const others = this.#waiting.filter((one) => one.camera === camera && one.key !== candidate.key);
    const newest = Math.max(this.#newest.get(camera) ?? -Infinity, ...others.map((one) => one.capturedAt));
    // Frames that are not late are compared by arrival: a clock set back must not end a camera's turns.
    const needless = isLate && newest > capturedAt ? [candidate] : others;
    return this.remove((one) => needless.includes(one));
  }

  /** Removes the waiting frames that meet `condition`. */
  remove(condition: (candidate: T) => boolean): T[] {
    const removed = this.#waiting.filter(condition);
    if (removed.length > 0) this.#waiting = this.#waiting.filter((one) => !removed.includes(one));
    for (const one of removed) this.#forget(one);
    return removed;
  }

  /** The frame whose turn it is, now counted as being handled; undefined if none may begin. */
  next(nowMs: number): T | undefined {
    if (this.#atWork.size >= this.limit || this.#waiting.length === 0) return undefined;
    if (this.#pause !== undefined && (nowMs < this.#pause.untilMs || this.#isProbing(this.#pause)))
      return undefined;
    if (this.hasSuspects) {
      const recent = [...this.#atWork].filter(([, startedMs]) => nowMs - startedMs < ALONE_MS);
      const suspect = this.#waiting.find((one) => one.isSuspect && this.#isFree(one));
      if (recent.some(([one]) => one.isSuspect)) return undefined;
      if (suspect !== undefined) return recent.length > 0 ? undefined : this.#begin(suspect, nowMs);
    }
    const chosen = this.latestOnly ? this.#longestUnserved() : this.#waiting.find((one) => this.#isFree(one));
    return chosen === undefined ? undefined : this.#begin(chosen, nowMs);
  }

  /** Milliseconds until the passing of time alone may change the result of {@link next}; undefined if it cannot. */
  dueMs(nowMs: number): number | undefined {
    if (this.#waiting.length === 0) return undefined;
    if (this.#pause !== undefined && nowMs < this.#pause.untilMs) return this.#pause.untilMs - nowMs;
    const alone = [...this.#atWork.values()].map((startedMs) => startedMs + ALONE_MS - nowMs);
    return this.hasSuspects ? alone.filter((ms) => ms > 0).sort((a, b) => a - b)[0] : undefined;
  }

  /** The frame needed no handling: its camera keeps its turn, as due now, whatever is handled meanwhile. */
  passedOver(candidate: T): void {
    this.#leaveWork(candidate);
    this.#forget(candidate);
    const { camera } = candidate;
    if (this.latestOnly && !this.#kept.has(camera)) this.#kept.set(camera, this.#count());
  }

  /** The frame is finished; `succeeded` ends a pause. */
  over(candidate: T, succeeded: boolean): void {
    const startedMs = this.#atWork.get(candidate);
    const { camera } = candidate;
    this.#leaveWork(candidate);
    this.#forget(candidate);
    if (this.latestOnly) {
      this.#served.set(camera, this.#kept.get(camera) ?? this.#count());
      this.#kept.delete(camera);
    }
    if (!succeeded || startedMs === undefined) return;
    this.#successes += 1;
    if (this.#pause !== undefined && startedMs >= this.#pause.sinceMs) this.#pause = undefined;
  }

  /** A server was away: the frame waits again, ahead of the others. Returns as {@link add} does. */
  interrupted(candidate: T): T[] {
    this.#leaveWork(candidate);
    this.#waiting.unshift(candidate);
    return this.#takeOvertaken(candidate);
  }

  /**
   * The consumer is in trouble: the frame waits again, behind those of other cameras, and all pause. Returns
   * as {@link add} does; or undefined, with the frame still being handled, if other frames succeed: then the
   * trouble is that of the frame, or of its camera.
   * @param random a number from 0 up to 1
   */
  troubled(candidate: T, nowMs: number, random: number): T[] | undefined {
    const startedMs = this.#atWork.get(candidate) ?? nowMs;
    const wasProbe = this.#pause !== undefined && startedMs >= this.#pause.sinceMs;
    if (this.#pause === undefined || wasProbe) {
      const attempt = (this.#pause?.attempt ?? 0) + 1;
      const untilMs = nowMs + backOffMs(PAUSE, attempt, (1 + random) / 2);
      this.#pause = { sinceMs: this.#pause?.sinceMs ?? nowMs, attempt, untilMs };
    }
    const began = this.#suffering.get(candidate) ?? { sinceMs: nowMs, successes: this.#successes };
    if (nowMs - began.sinceMs >= OWN_TROUBLE_MS && this.#successes - began.successes >= OWN_TROUBLE_SUCCESSES)
      return undefined;
    this.#suffering.set(candidate, began);
    this.#leaveWork(candidate);
    const next = this.ordered ? this.#waiting.findIndex(({ camera }) => camera === candidate.camera) : -1;
    this.#waiting.splice(next === -1 ? this.#waiting.length : next, 0, candidate);
    return this.#takeOvertaken(candidate);
  }

  #count(): number {
    this.#turn += 1;
    return this.#turn;
  }

  #begin(candidate: T, nowMs: number): T {
    this.#waiting.splice(this.#waiting.indexOf(candidate), 1);
    this.#atWork.set(candidate, nowMs);
    this.#keysAtWork.add(candidate.key);
    if (this.latestOnly) this.#newest.set(candidate.camera, candidate.capturedAt);
    return candidate;
  }

  #leaveWork(candidate: T): void {
    this.#atWork.delete(candidate);
    this.#keysAtWork.delete(candidate.key);
  }

  #forget(candidate: T): void {
    this.#suffering.delete(candidate);
    this.#suspects.delete(candidate);
  }

  /** Removes the frame if a newer one of its camera arrived while it was handled. */
  #takeOvertaken(candidate: T): T[] {
    if (!this.latestOnly) return [];
    const { camera, capturedAt } = candidate;
    const isOvertaken = this.#waiting.some((one) => one.camera === camera && one.capturedAt > capturedAt);
    return isOvertaken ? this.remove((one) => one === candidate) : [];
  }

  /** A second delivery of a frame waits for the first. */
  #isFree({ key, camera }: T): boolean {
    if (!this.latestOnly && !this.ordered) return !this.#keysAtWork.has(key);
    return ![...this.#atWork.keys()].some((one) => one.camera === camera);
  }

  #isProbing({ sinceMs }: Pause): boolean {
    return [...this.#atWork.values()].some((startedMs) => startedMs >= sinceMs);
  }

  #longestUnserved(): T | undefined {
    const turn = ({ camera }: T) => this.#served.get(camera) ?? 0;
    return this.#waiting
      .filter((one) => this.#isFree(one))
      .reduce<T | undefined>(
        (best, one) => (best === undefined || turn(one) < turn(best) ? one : best),
        undefined,
      );
  }
}
