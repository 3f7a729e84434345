/** Recent captures and confirms of each camera, for `status`. */
import type { Frame } from '../contract/frame';

/** The span over which a rate is taken, seconds, and the shortest span, just after a camera has begun. */
const SPAN_S = 60;
const LEAST_SPAN_S = 1;

export interface CameraDelivery {
  /** Frames the broker confirmed within the last minute. */
  readonly lastMinute: number;
  /** Frames a second: over that minute, or over the time since the camera's first frame if that is shorter. */
  readonly perSecond: number;
  /** When the last one was confirmed, milliseconds since the epoch. */
  readonly lastAtMs?: number | undefined;
  /** Size of the last picture, pixels. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly format?: Frame['format'] | undefined;
  /** When it was captured, milliseconds since the epoch. */
  readonly capturedAtMs?: number | undefined;
}

interface Tally {
  /** When the camera's first frame was captured or confirmed, on the monotonic clock. */
  readonly beganMs: number;
  /** Confirmed frames by second. */
  readonly seconds: Map<number, number>;
  /** The first confirm, the second and the last, on the same clock. */
  firstMs?: number;
  secondMs?: number;
  lastMs?: number;
  lastAtMs?: number;
  picture?: Pick<CameraDelivery, 'width' | 'height' | 'format' | 'capturedAtMs'>;
}

export class Deliveries {
  readonly #tallies = new Map<string, Tally>();
  #lastConfirmAtMs: number | undefined;

  /** @param nowMs a monotonic clock */
  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  captured({
    camera,
    capturedAt: capturedAtMs,
    ...picture
  }: Pick<Frame, 'camera' | 'width' | 'height'> & Partial<Pick<Frame, 'format' | 'capturedAt'>>): void {
    const { width, height, format } = picture;
    this.#tally(camera).picture = { width, height, format, capturedAtMs };
  }

  delivered(frames: readonly Pick<Frame, 'camera'>[]): void {
    const nowMs = this.nowMs();
    const second = secondOf(nowMs);
    this.#lastConfirmAtMs = Date.now();
    for (const { camera } of frames) {
      const tally = this.#tally(camera);
      tally.seconds.set(second, (tally.seconds.get(second) ?? 0) + 1);
      if (tally.firstMs === undefined) tally.firstMs = nowMs;
      else tally.secondMs ??= nowMs;
      tally.lastMs = nowMs;
      tally.lastAtMs = Date.now();
      for (const old of tally.seconds.keys()) if (old <= second - SPAN_S) tally.seconds.delete(old);
    }
  }

  of(camera: string): CameraDelivery {
    const tally = this.#tallies.get(camera);
    if (tally === undefined) return { lastMinute: 0, perSecond: 0 };
    const { seconds, lastAtMs, picture } = tally;
    const second = secondOf(this.nowMs());
    const lastMinute = [...seconds].reduce(
      (sum, [at, count]) => (at > second - SPAN_S ? sum + count : sum),
      0,
    );
    return { lastMinute, perSecond: rateOf(tally, lastMinute, this.nowMs()), lastAtMs, ...picture };
  }

  /** When a frame of any camera was last confirmed, milliseconds since the epoch; undefined until one was. */
  get lastConfirmAtMs(): number | undefined {
    return this.#lastConfirmAtMs;
  }

  forget(camera: string): void {
    this.#tallies.delete(camera);
  }

  #tally(camera: string): Tally {
    let tally = this.#tallies.get(camera);
    if (tally === undefined)
      this.#tallies.set(camera, (tally = { beganMs: this.nowMs(), seconds: new Map() }));
    return tally;
  }
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1000);
}

/**
 * Frames a second. In the first minute the span ends between two frames, and for a steady camera every
 * interval but the first is exact. The first is too short: a camera begins anywhere within a period, and its
 * first picture, which waits for the first connection, is confirmed later than the others.
 */
function rateOf(tally: Tally, frames: number, nowMs: number): number {
  const { beganMs, firstMs = 0, secondMs = 0, lastMs = 0 } = tally;
  const sinceS = (nowMs - beganMs) / 1000;
  const rate = frames / Math.min(Math.max(sinceS, LEAST_SPAN_S), SPAN_S);
  if (sinceS >= SPAN_S || frames < 2) return rate;
  if (frames === 2) return Math.min(rate, 1 / Math.max((lastMs - firstMs) / 1000, LEAST_SPAN_S));
  return Math.min(rate, (frames - 2) / ((lastMs - secondMs) / 1000));
}
