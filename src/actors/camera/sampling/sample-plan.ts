/**
 * Decides, packet by packet, what is decoded so that every sampling period has one picture at the lowest
 * cost: a keyframe if one falls into the period, else the packet in its middle and those it depends on. Pure;
 * times are those of the packets. Why it holds: docs/capture/sampling.md.
 */
import type { Sampling } from '../../../config/topology';
import type { Numbered } from '../../../protocol/numbered';
import type { PictureFacts } from '../bitstream/picture-facts';
import { PacketRhythm } from './packet-rhythm';
import type { Decision, Sample } from './sample';

/** The facts the plan is based on. */
export type Coded = Pick<PictureFacts, 'key' | 'state' | 'inOrder' | 'needed'>;

/** Shortest and longest distance of two pictures while the feed is sound, in parts of a period. */
const NEAREST = 0.5;
const FARTHEST = 1.5;
/**
 * How far from the middle of its period a picture may be. More than half a period, so that keyframes that
 * jitter around a boundary still yield one per period.
 */
const REACH = 0.75;
/**
 * The same if only keyframes are taken, about one per period. Rejecting one would leave a hole of almost two
 * periods, so they may drift by most of a period; a picture only counts for its own period or a neighbour.
 */
const KEYFRAME_REACH = 1.45;
/** Tolerance of "about one per period", in parts of a period. */
const ONCE_A_PERIOD = 0.1;
/** A keyframe that is overdue by this part of a period is no longer awaited. */
const OVERDUE = 0.25;
/** Margin kept from these bounds, in parts of a period, because no packet is exactly on time. */
const MARGIN = 0.05;
/** A clock that deviates from a steady one by at least this much was set. The ledger uses the same bound. */
const CLOCK_STEP_MS = 3000;

interface Window {
  readonly earliest: number;
  readonly ideal: number;
  readonly latest: number;
  readonly middle: number;
}

interface Taken {
  readonly at: number;
  readonly sequence: number;
  readonly steadyMs: number;
  /** Period of the plan that took it. */
  readonly periodMs: number;
}

interface NewestSample {
  last?: Taken;
  /** A picture that another process has taken: the numbering of periods continues from it. */
  readonly before?: Numbered | undefined;
}

export class SamplePlan {
  readonly #rhythm = new PacketRhythm();
  #wantedSampling: Sampling;

  constructor(
    private periodMs: number,
    private sampling: Sampling = 'auto',
    private readonly newest: NewestSample = {},
  ) {
    this.#wantedSampling = sampling;
  }

  /** Plan for another opening of the same camera in parallel: each period is sampled by only one of them. */
  beside(periodMs: number, sampling: Sampling): SamplePlan {
    return new SamplePlan(periodMs, sampling, this.newest);
  }

  /** Applies other settings. What is decoded changes with the next keyframe. */
  change(periodMs: number, sampling: Sampling): void {
    this.periodMs = periodMs;
    this.#wantedSampling = sampling;
  }

  /** True if the packet after the newest one will come in time, so that no other opening need be sampled. */
  get goesOn(): boolean {
    const last = this.#last;
    if (last === undefined) return true;
    const stepMs = this.#nextStep(false);
    const { lastAt } = this.#rhythm;
    if (lastAt === undefined || stepMs === 0) return false;
    return lastAt + stepMs <= this.#window(last).latest - MARGIN * this.periodMs;
  }

  /** The newest sample, numbered in this plan's periods. */
  get #last(): Taken | undefined {
    const { last } = this.newest;
    if (last === undefined || last.periodMs === this.periodMs) return last;
    return { ...last, sequence: Math.floor(last.at / this.periodMs) };
  }

  /** Milliseconds between the newest two keyframes; undefined until there were two. */
  get keyIntervalMs(): number | undefined {
    return this.#rhythm.keyIntervalMs;
  }

  /** Number of the period after the newest sample; undefined until there was a sample. */
  get nextSequence(): number | undefined {
    return this.#last === undefined ? undefined : this.#last.sequence + 1;
  }

  /** Milliseconds between packets, smoothed; 0 until there were two. */
  get packetMs(): number {
    return this.#rhythm.packetMs;
  }

  /** The feed was reopened. */
  reopen(): void {
    this.#rhythm.reopen();
  }

  /**
   * @param at the packet's time, milliseconds since the epoch
   * @param picture the picture in it
   * @param steadyMs the same time on a clock that is never set
   */
  decide(at: number, picture: Coded, steadyMs: number): Decision {
    const { key, state, inOrder, needed } = picture;
    if (key) this.sampling = this.#wantedSampling;
    // Pictures shown before an earlier one are not output by the decoder.
    const canBeTaken = state === 'whole' && inOrder;
    this.#rhythm.measure(at, key);
    if (state === 'undecodable') return { kind: 'skip' };
    if (state === 'whole') this.#rhythm.measureStep(canBeTaken);
    if (canBeTaken && this.#isWanted(at, key, steadyMs))
      return { kind: 'take', sample: this.#sample(at, steadyMs) };
    switch (this.sampling) {
      case 'all':
        return { kind: 'feed' };
      case 'keyframes':
        return { kind: 'skip' };
      case 'auto':
        return { kind: !needed ? 'skip' : this.#awaitsKey(at) ? 'hold' : 'feed' };
    }
  }

  /** Takes a picture that was requested at the wanted time; see {@link decide}. */
  accept(at: number, steadyMs: number): Sample {
    this.#rhythm.measure(at, true);
    return this.#sample(at, steadyMs);
  }

  #isWanted(at: number, key: boolean, steadyMs: number): boolean {
    if (!key && this.sampling === 'keyframes') return false;
    const last = this.#last;
    if (last === undefined || this.#stepMs(at, steadyMs) <= -CLOCK_STEP_MS) return true;
    const { earliest, ideal, latest } = this.#window(last);
    if (at < earliest) return false;
    const next = at + this.#nextStep(key);
    if (next > latest - MARGIN * this.periodMs) return true;
    const nearest = Math.abs(at - ideal) <= Math.abs(next - ideal);
    return nearest && (key || !this.#awaitsKey(at));
  }

  /** When the next picture may be taken: not too close to the last one, nor too far from it or its period. */
  #window({ at, sequence }: { at: number; sequence: number }): Window {
    const { periodMs } = this;
    const middle = (sequence + 1.5) * periodMs;
    const reachMs = this.#reachMs();
    const earliest = Math.max(at + NEAREST * periodMs, middle - reachMs);
    const latest = Math.min(middle + reachMs, at + FARTHEST * periodMs);
    const leewayMs = reachMs - periodMs / 4;
    const steady = clamp(at + periodMs, middle - leewayMs, middle + leewayMs);
    return { earliest, latest, middle, ideal: clamp(this.#beforeKey(steady, middle), earliest, latest) };
  }

  #reachMs(): number {
    const { periodMs } = this;
    const onceAPeriod = Math.abs(this.#rhythm.keyIntervalBoundMs - periodMs) <= ONCE_A_PERIOD * periodMs;
    return (this.sampling === 'keyframes' && onceAPeriod ? KEYFRAME_REACH : REACH) * periodMs;
  }

  /** Moves a time so that the keyframe of the following period can be taken too. */
  #beforeKey(time: number, middle: number): number {
    const { periodMs } = this;
    const margin = MARGIN * periodMs;
    const reachMs = this.#reachMs();
    const end = middle + periodMs + reachMs - margin;
    const first = this.#rhythm.keyFrom(middle + periodMs - reachMs + margin);
    if (first > end) return time;
    const interval = this.#rhythm.keyIntervalBoundMs;
    const last = first + Math.floor((end - first) / interval) * interval;
    return clamp(time, first - FARTHEST * periodMs + margin, last - NEAREST * periodMs - margin);
  }

  /** Milliseconds until the next packet that could be taken instead. */
  #nextStep(key: boolean): number {
    const keyInterval = this.#rhythm.keyIntervalBoundMs;
    if (this.sampling === 'keyframes') return keyInterval;
    return key && this.sampling === 'auto' && keyInterval > 0 ? keyInterval : this.#rhythm.stepMs;
  }

  /** True while a keyframe is expected in time for the next period. */
  #awaitsKey(at: number): boolean {
    const last = this.#last;
    if (this.sampling === 'all' || this.#rhythm.lastKeyAt === undefined) return false;
    if (at > this.#rhythm.keyFrom(this.#rhythm.lastKeyAt) + OVERDUE * this.periodMs) return false;
    if (last === undefined) return true;
    const { earliest, latest } = this.#window(last);
    return this.#rhythm.keyFrom(earliest) <= latest - MARGIN * this.periodMs;
  }

  /** By how much the clock was set since the last sample, forward or back. */
  #stepMs(at: number, steadyMs: number): number {
    const last = this.#last ?? { at, steadyMs };
    return at - last.at - (steadyMs - last.steadyMs);
  }

  /** Periods that the clock skipped when it was set are not missed, as they never existed: docs/ledger.md. */
  #sample(at: number, steadyMs: number): Sample {
    const sequence = this.#sequenceOf(at);
    const last = this.#last;
    const stepMs = this.#stepMs(at, steadyMs);
    this.newest.last = { at, sequence, steadyMs, periodMs: this.periodMs };
    if (last === undefined) return { capturedAt: at, sequence };
    const skipped = stepMs >= CLOCK_STEP_MS ? Math.round(stepMs / this.periodMs) : 0;
    const [firstSequence, lastSequence] = [last.sequence + 1, sequence - 1 - skipped];
    if (lastSequence < firstSequence) return { capturedAt: at, sequence };
    return { capturedAt: at, sequence, missed: { firstSequence, lastSequence } };
  }

  /** The period a picture counts for: the next one if its middle is in reach, else the one it falls into. */
  #sequenceOf(at: number): number {
    const falls = Math.floor(at / this.periodMs);
    const last = this.#last;
    if (last === undefined) return this.#continued(at) ?? falls;
    if (at < last.at) return falls;
    const { middle } = this.#window(last);
    return Math.abs(at - middle) <= this.#reachMs() ? last.sequence + 1 : Math.max(falls, last.sequence + 1);
  }

  /** Undefined if the number that follows from the previous picture is out of reach. */
  #continued(at: number): number | undefined {
    const { periodMs } = this;
    const { before } = this.newest;
    if (before === undefined) return undefined;
    const sequence = before.sequence + Math.round((at - before.at) / periodMs);
    return Math.abs(at - (sequence + 0.5) * periodMs) <= this.#reachMs() ? sequence : undefined;
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
