/** The newest picture of each camera as JPEG, made once for all viewers. */
import type { Frame, FrameFormat } from '../../../contract/frame';
import { newestFrame, readNewest } from '../../../spool/newest';
import { Problem } from '../http/problem';
import { WIDTHS } from '../http/schemas';
import { keyframeToJpeg } from './keyframe';

/** Pictures made at the same time; the other processors are left for the delivery of frames. */
const PARALLEL = 2;
/** Most pictures that may wait for that; refused viewers ask again. */
const MAX_QUEUE = 256;
/** Bytes of pictures kept. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface MadePicture {
  readonly frame: Frame;
  readonly jpeg: Buffer;
}

interface Kept {
  readonly etag: string;
  readonly made: Promise<MadePicture>;
  bytes: number;
}

export class Gallery {
  /** By camera and width, the one used longest ago first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(
    private readonly newestDir: string,
    private readonly ffmpeg: () => string,
  ) {}

  /** The newest frame of a camera; undefined if there is none. */
  async newest(camera: string): Promise<Frame | undefined> {
    return newestFrame(this.newestDir, camera);
  }

  /** What changes with each frame and size. */
  etag(frame: Frame, width: number | undefined): string {
    return `"${frame.capturedAt}-${frame.sequence}-${thumbnailWidth(width) ?? 'full'}"`;
  }

  /**
   * @returns the picture of that frame or, if it has disappeared meanwhile, of a newer one
   * @throws Problem
   */
  async make(frame: Frame, width: number | undefined): Promise<MadePicture> {
    const sized = thumbnailWidth(width);
    const key = `${frame.camera} ${sized ?? ''}`;
    const etag = this.etag(frame, width);
    const known = this.#kept.get(key);
    if (known?.etag === etag) return known.made;
    const kept: Kept = { etag, made: this.#inTurn(() => this.#make(frame.camera, sized)), bytes: 0 };
    this.#forget(key);
    this.#kept.set(key, kept);
    try {
      const made = await kept.made;
      if (this.#kept.get(key) === kept) {
        kept.bytes = made.jpeg.length;
        this.#bytes += kept.bytes;
        this.#shrink();
      }
      return made;
    } catch (error) {
      if (this.#kept.get(key) === kept) this.#forget(key);
      throw error;
    }
  }

  async #make(camera: string, width: number | undefined): Promise<MadePicture> {
    const newest = await readNewest(this.newestDir, camera);
    if (newest === undefined)
      throw new Problem(404, 'no-picture', `there is no picture of ${camera} any more`);
    const { frame, bytes } = newest;
    const { format } = frame;
    try {
      const picture = isKeyframe(format) ? await keyframeToJpeg(bytes, format, this.ffmpeg()) : bytes;
      if (width === undefined && (format === 'jpeg' || isKeyframe(format))) return { frame, jpeg: picture };
      const { toJpeg } = await import('./thumbnail');
      return { frame, jpeg: await toJpeg(picture, width) };
    } catch (error) {
      const why = (error as Error).message;
      throw new Problem(404, 'undecodable', `the newest picture of ${camera} cannot be shown: ${why}`);
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#queue.length >= MAX_QUEUE)
      throw new Problem(
        503,
        'busy',
        'too many pictures are being made; try again',
        {},
        { 'retry-after': '1' },
      );
    // Whoever is done hands its turn on.
    if (this.#running >= PARALLEL) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #shrink(): void {
    for (const key of this.#kept.keys()) {
      if (this.#bytes <= MAX_BYTES) return;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}

/** The width that is made for a wish; undefined for the whole picture. */
export function thumbnailWidth(wish: number | undefined): number | undefined {
  return wish === undefined ? undefined : WIDTHS.find((width) => width >= wish);
}

function isKeyframe(format: FrameFormat): format is 'h264' | 'h265' {
  return format === 'h264' || format === 'h265';
}
