/** What of each camera was captured and confirmed lately, for `status`. */
import type { Frame } from '../contract/frame';

/** The rate is that of this long a time, seconds. */
const SPAN_S = 60;

export interface CameraDelivery {
  /** Frames the broker confirmed within the last minute. */
  readonly lastMinute: number;
  /** When the last one was confirmed, milliseconds since the epoch. */
  readonly lastAtMs?: number | undefined;
  /** Of the last picture, pixels. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly format?: Frame['format'] | undefined;
  /** When it was captured, milliseconds since the epoch. */
  readonly capturedAtMs?: number | undefined;
}

interface Tally {
  /** Confirmed frames by second. */
  readonly seconds: Map<number, number>;
  lastAtMs?: number;
  picture?: Pick<CameraDelivery, 'width' | 'height' | 'format' | 'capturedAtMs'>;
}

export class Deliveries {
  readonly #tallies = new Map<string, Tally>();

  /** @param nowMs a clock that is never set */
  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  captured({
    camera,
    width,
    height,
    format,
    capturedAt,
  }: Pick<Frame, 'camera' | 'width' | 'height' | 'format' | 'capturedAt'>): void {
    this.#tally(camera).picture = { width, height, format, capturedAtMs: capturedAt };
  }

  delivered(frames: readonly Pick<Frame, 'camera'>[]): void {
    const second = Math.floor(this.nowMs() / 1000);
    for (const { camera } of frames) {
      const tally = this.#tally(camera);
      tally.seconds.set(second, (tally.seconds.get(second) ?? 0) + 1);
      tally.lastAtMs = Date.now();
      for (const old of tally.seconds.keys()) if (old <= second - SPAN_S) tally.seconds.delete(old);
    }
  }

  of(camera: string): CameraDelivery {
    const { seconds, lastAtMs, picture } = this.#tally(camera);
    const since = Math.floor(this.nowMs() / 1000) - SPAN_S;
    const lastMinute = [...seconds].reduce((sum, [at, count]) => (at > since ? sum + count : sum), 0);
    return { lastMinute, lastAtMs, ...picture };
  }

  forget(camera: string): void {
    this.#tallies.delete(camera);
  }

  #tally(camera: string): Tally {
    let tally = this.#tallies.get(camera);
    if (tally === undefined) this.#tallies.set(camera, (tally = { seconds: new Map() }));
    return tally;
  }
}
