/** The segments of a live HLS feed: clips in turn, for ever, encrypted or in parts of larger files where that is asked for. */
import { createCipheriv } from 'node:crypto';
import type { HlsClip } from './hls-clip';
import type { LiveHlsOptions } from './hls-options';

/** Segments that share one file of byte ranges. */
export const SHARED = 10;
/** Segments that share one key. */
const KEYED = 3;

export interface LoopedSegment {
  readonly clip: HlsClip;
  readonly bytes: Buffer;
  /** Whether it is the first of its clip. */
  readonly begins: boolean;
}

export class HlsSegments {
  readonly segmentMs: number;
  readonly #order: readonly LoopedSegment[];

  constructor(private readonly options: LiveHlsOptions) {
    this.#order = options.clips.flatMap((clip) =>
      clip.segments.map((bytes, n) => ({ clip, bytes, begins: n === 0 })),
    );
    this.segmentMs = (options.clips[0]?.segmentMs ?? 1000) / (options.speed ?? 1);
  }

  at(n: number): LoopedSegment {
    const found = this.#order[n % this.#order.length];
    if (found === undefined) throw new Error('no clips');
    return found;
  }

  /** As it is sent while `made` segments are complete. */
  sent(n: number, made: number): Buffer {
    const { bytes } = this.at(n);
    const { keys, hasVector } = this.options;
    if (keys === undefined) return bytes;
    const cipher = createCipheriv('aes-128-cbc', this.key(keyNumber(n), made), vector(n, hasVector));
    return Buffer.concat([cipher.update(bytes), cipher.final()]);
  }

  /** The key of that number, or the one that has the only name now. */
  key(number: number, made: number): Buffer {
    return Buffer.alloc(16, this.options.keys === 'one-name' ? keyNumber(made) : number);
  }

  /** The file of byte ranges that begins with segment `from`. */
  shared(from: number): Buffer {
    return Buffer.concat(Array.from({ length: SHARED }, (_, n) => this.at(from + n).bytes));
  }
}

/** The number of the key that segment n is encrypted with. */
export function keyNumber(n: number): number {
  return Math.floor(n / KEYED);
}

/** The initialization vector of segment n: its number, or another one that the playlist has to name. */
export function vector(n: number, isNamed = false): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(isNamed ? n + 7 : n, 12);
  return bytes;
}
