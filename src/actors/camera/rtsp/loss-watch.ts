/** Packets lost over UDP: how many, what share, and whether losses continue. Pure: the time is passed in. */
import type { FaultRecord } from '../../../fault/fault';

/** Bytes of video in one network packet, by which the number of received packets is estimated. */
const PACKET_BYTES = 1400;
const WINDOW_S = 60;
/**
 * Losses in this many of the last `RECENT_S` seconds are not a burst. In a stream of 64 packets and one
 * keyframe a second, sampled at its keyframes, 0.1 % loss damaged 1 picture of 35, 1 % damaged 5, and 5 %
 * damaged 15; TCP, none.
 */
const SUSTAINED_SECONDS = 4;
const RECENT_S = 30;
/** Milliseconds from the first loss to its report: measuring a rate takes some time. */
const SPEAK_AFTER_MS = 10_000;
/** Milliseconds without loss after which the losses are over. */
const OVER_MS = 60_000;

interface Second {
  readonly at: number;
  lost: number;
  bytes: number;
}

export class LossWatch {
  #seconds: Second[] = [];
  #total = 0;
  #lastLossMs: number | undefined;
  #spokeMs: number | undefined;

  /** Packets lost since the camera's process began. */
  get total(): number {
    return this.#total;
  }

  /** @param nowMs milliseconds of a clock that is never set */
  lost(packets: number, nowMs: number): void {
    this.#total += packets;
    if (this.#lastLossMs === undefined) this.#spokeMs = nowMs;
    this.#lastLossMs = nowMs;
    this.#second(nowMs).lost += packets;
  }

  received(bytes: number, nowMs: number): void {
    this.#second(nowMs).bytes += bytes;
  }

  /** The feed is reopened: losses of the previous opening do not count for this one. */
  reopen(): void {
    this.#seconds = [];
  }

  /** True if losses are so frequent that another transport would lose less. */
  isSustained(nowMs: number): boolean {
    const from = Math.floor(nowMs / 1000) - RECENT_S;
    return this.#seconds.filter(({ at, lost }) => at > from && lost > 0).length >= SUSTAINED_SECONDS;
  }

  /**
   * The report that is due now, if any: at most one in ten seconds while packets are lost. Its message lacks
   * the subject.
   */
  statement(nowMs: number): FaultRecord | undefined {
    if (this.#lastLossMs === undefined || nowMs - (this.#spokeMs ?? nowMs) < SPEAK_AFTER_MS) return undefined;
    if (this.#lastLossMs < (this.#spokeMs ?? 0) || this.#lostInWindow === 0) return undefined;
    this.#spokeMs = nowMs;
    return {
      code: 'udp-loss',
      message: `${this.summary()}; pictures made of what is left are marked torn; look for the loss in the network, or set "transport" to "tcp"`,
    };
  }

  /** True once, when packets were lost before and have not been for a minute. */
  isOver(nowMs: number): boolean {
    if (this.#lastLossMs === undefined || nowMs - this.#lastLossMs < OVER_MS) return false;
    this.#lastLossMs = undefined;
    return true;
  }

  /** For the last minute: `7 of some 3800 UDP packets (0.2 %) were lost or came too late in the last 60 s`. */
  summary(): string {
    const lost = this.#lostInWindow;
    const came = Math.ceil(sum(this.#seconds.map((each) => each.bytes)) / PACKET_BYTES);
    const share = lost === 0 ? 0 : (100 * lost) / (lost + came);
    const [first, last] = [this.#seconds[0], this.#seconds.at(-1)];
    const overS = first === undefined || last === undefined ? 0 : last.at - first.at + 1;
    return `${lost} of some ${lost + came} UDP packets (${share.toPrecision(2)} %) were lost or came too late in the last ${overS} s`;
  }

  get #lostInWindow(): number {
    return sum(this.#seconds.map((each) => each.lost));
  }

  #second(nowMs: number): Second {
    const at = Math.floor(nowMs / 1000);
    const newest = this.#seconds.at(-1);
    if (newest?.at === at) return newest;
    const second = { at, lost: 0, bytes: 0 };
    this.#seconds = [...this.#seconds.filter((each) => each.at > at - WINDOW_S), second];
    return second;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
