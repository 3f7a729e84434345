/** How far apart packets, keyframes and pictures that can be taken are, measured as they come. Pure; the time is the packets' own. */

/** Distances of pictures that can be taken of which the longest counts: the pictures between are now more, now fewer. */
const STEPS = 8;
/** The distance of packets is smoothed over about this many. */
const SMOOTHING = 8;

export class PacketRhythm {
  #lastAt: number | undefined;
  #lastKeyAt: number | undefined;
  #keyIntervalMs: number | undefined;
  #keyIntervalBoundMs = 0;
  #packetMs = 0;
  /** Packets since the newest picture that could be taken, that one included, and the same of those before. */
  #step = 1;
  #steps: number[] = [];

  /** Time of the newest packet; undefined until one came since the feed was opened. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  /** Time of the newest keyframe. */
  get lastKeyAt(): number | undefined {
    return this.#lastKeyAt;
  }

  /** Milliseconds between packets, smoothed; 0 until there were two. */
  get packetMs(): number {
    return this.#packetMs;
  }

  /** Milliseconds between the newest two keyframes; undefined until there were two. */
  get keyIntervalMs(): number | undefined {
    return this.#keyIntervalMs;
  }

  /** Milliseconds: the longer of the newest two intervals, because an additional keyframe is not a loss, while a missing one is. */
  get keyIntervalBoundMs(): number {
    return this.#keyIntervalBoundMs;
  }

  /** Milliseconds between two pictures that can be taken, at most. */
  get stepMs(): number {
    return Math.max(1, ...this.#steps) * this.#packetMs;
  }

  /** The feed was opened again. */
  reopen(): void {
    this.#lastAt = undefined;
    this.#lastKeyAt = undefined;
    this.#step = 1;
  }

  /** @param at the packet's time, milliseconds since the epoch */
  measure(at: number, key: boolean): void {
    if (this.#lastAt !== undefined && at > this.#lastAt) {
      const step = at - this.#lastAt;
      this.#packetMs += (step - this.#packetMs) / (this.#packetMs === 0 ? 1 : SMOOTHING);
    }
    this.#lastAt = at;
    if (!key) return;
    if (this.#lastKeyAt !== undefined && at > this.#lastKeyAt) this.#measureKeys(at - this.#lastKeyAt);
    this.#lastKeyAt = at;
  }

  #measureKeys(intervalMs: number): void {
    this.#keyIntervalBoundMs = Math.max(this.#keyIntervalMs ?? 0, intervalMs);
    this.#keyIntervalMs = intervalMs;
  }

  /** For every packet with a whole picture. */
  measureStep(canBeTaken: boolean): void {
    if (!canBeTaken) {
      this.#step++;
      return;
    }
    this.#steps = [...this.#steps, this.#step].slice(-STEPS);
    this.#step = 1;
  }

  /** When the first keyframe from `time` on is expected; Infinity when that is not known. */
  keyFrom(time: number): number {
    const intervalMs = this.keyIntervalBoundMs;
    if (this.#lastKeyAt === undefined || intervalMs === 0) return Infinity;
    return this.#lastKeyAt + Math.max(1, Math.ceil((time - this.#lastKeyAt) / intervalMs)) * intervalMs;
  }
}
