/**
 * How far the sender's clock is from the arrival of its packets. From RTCP sender reports ffmpeg derives the
 * sender's time of every packet; it writes that of keyframes, by their number, to a second output. Pure.
 */
import type { Packet } from '../ffmpeg/packet-splitter';
import { PrftReader, type ProducerTime } from './prft';

/** From 1900 to 1970: converts NTP times to Unix times (RFC 5905, figure 4). */
const NTP_TO_UNIX_S = 2_208_988_800;
const NTP_ERA_S = 2 ** 32;
/** Most keyframes whose time is awaited; normally it comes with the next keyframe. */
const MAX_AWAITED = 32;

/** A keyframe at its arrival. */
export interface KeyframeArrival {
  /** Milliseconds since the epoch by this machine's clock, minus the link's delay. */
  readonly dueAt: number;
  /** The arrival itself, milliseconds of a clock that is never set. */
  readonly arrivedMs: number;
}

/** Time of the sender's clock when a keyframe was made. */
export interface SenderTime {
  /** The keyframe's time in the stream, milliseconds. */
  readonly mediaMs: number;
  readonly arrivedMs: number;
  /** Milliseconds since the epoch, by the sender's clock. */
  readonly senderMs: number;
  /** The sender's clock minus this machine's, milliseconds. */
  readonly skewMs: number;
}

type Awaited = KeyframeArrival & { readonly mediaMs: number };

export class SenderClock {
  readonly #reader = new PrftReader();
  /** Keyframes so far: ffmpeg numbers the times it writes by keyframe. */
  #keyframes = 0;
  /** Arrivals, by number, of keyframes whose sender's time is known to ffmpeg. */
  #awaited = new Map<number, Awaited>();
  /** Times that arrived before their packet, by number: they are read from a separate pipe. */
  #early = new Map<number, ProducerTime>();
  #gaveTimes = false;

  /** True if times arrived, and then none for {@link MAX_AWAITED} keyframes: ffmpeg's output has broken. */
  get hasStopped(): boolean {
    return this.#gaveTimes && this.#awaited.size >= MAX_AWAITED;
  }

  /** This machine's clock was set by this much: the due times of waiting keyframes move with it. */
  machineSet(setMs: number): void {
    for (const [number, one] of this.#awaited)
      this.#awaited.set(number, { ...one, dueAt: one.dueAt + setMs });
  }

  /** A packet arrived. Returns the times that are now known. */
  saw({ key, hasSenderTime, pts = 0 }: Packet, arrival: KeyframeArrival): SenderTime[] {
    if (!key) return [];
    const number = this.#keyframes++;
    // Without a report ffmpeg writes the local clock, which is unrelated to the sender's.
    if (hasSenderTime === true) remember(this.#awaited, number, { ...arrival, mediaMs: pts });
    else this.#early.delete(number);
    return this.#match();
  }

  /** More of the MP4 arrived; see {@link saw}. */
  push(chunk: Buffer): SenderTime[] {
    for (const time of this.#reader.push(chunk)) remember(this.#early, time.mediaTime, time);
    return this.#match();
  }

  #match(): SenderTime[] {
    const found: SenderTime[] = [];
    for (const [number, time] of this.#early) {
      const keyframe = this.#awaited.get(number);
      if (keyframe === undefined) continue;
      const { dueAt, arrivedMs, mediaMs } = keyframe;
      const skew = skewMs(time, dueAt);
      found.push({ mediaMs, arrivedMs, senderMs: dueAt + skew, skewMs: skew });
      this.#early.delete(number);
      // Times arrive in order: one that was skipped never arrives.
      for (const awaited of this.#awaited.keys()) if (awaited <= number) this.#awaited.delete(awaited);
    }
    this.#gaveTimes ||= found.length > 0;
    return found;
  }
}

function remember<Value>(map: Map<number, Value>, key: number, value: Value): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_AWAITED && oldest !== undefined) map.delete(oldest);
}

/** The skew in the NTP era that is nearest to the arrival, so 68 years at most. */
function skewMs({ ntpSeconds }: ProducerTime, dueAt: number): number {
  const skewS = ntpSeconds - NTP_TO_UNIX_S - dueAt / 1000;
  return 1000 * (skewS - NTP_ERA_S * Math.round(skewS / NTP_ERA_S));
}
