/**
 * Measures the intervals between packets, between keyframes and between pictures that can be taken, as they
 * arrive. Pure; the time is that of the packets.
 */

/** The longest of this many intervals between usable pictures counts, because they vary. */
const STEPS = 8;
/** The interval between packets is smoothed over about this many. */
const SMOOTHING = 8;

export class PacketRhythm {
  #lastAt: number | undefined;
  #lastKeyAt: number | undefined;
  #keyIntervalMs: number | undefined;
  #keyIntervalBoundMs = 0;
  #packetMs = 0;
  /** Packets since the newest picture that could be taken, inclusive; then the previous such counts. */
  #step = 1;
  #steps: number[] = [];

  /** Time of the newest packet; undefined until the first one since the feed was opened. */
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

  /** The longer of the newest two intervals, milliseconds: an extra keyframe is no loss, a missing one is. */
  get keyIntervalBoundMs(): number {
    return this.#keyIntervalBoundMs;
  }

  /** Longest interval between two pictures that can be taken, milliseconds. */
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

  /** When the first keyframe at or after `time` is expected; Infinity if unknown. */
  keyFrom(time: number): number {
    const intervalMs = this.keyIntervalBoundMs;
    if (this.#lastKeyAt === undefined || intervalMs === 0) return Infinity;
    return this.#lastKeyAt + Math.max(1, Math.ceil((time - this.#lastKeyAt) / intervalMs)) * intervalMs;
  }
}
