/** What a live HLS server of the tests does, and its faults. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HlsClip } from './hls-clip';

export interface LiveHlsOptions {
  /** Played one after the other, for ever; each begins with a discontinuity. */
  readonly clips: readonly HlsClip[];
  /** Segments listed. */
  readonly window?: number;
  /** Segments that are there when it begins. */
  readonly existing?: number;
  readonly port?: number;
  /** Where clips follow each other nothing is said of it. */
  readonly isSilentAboutDiscontinuities?: boolean;
  /** AES-128: a key for each three segments, each under a name of its own or all under one. */
  readonly keys?: 'each-its-own' | 'one-name';
  /** Without one the sequence number is the vector. */
  readonly hasVector?: boolean;
  /** Segments are parts of a file each ten share. */
  readonly hasByteRanges?: boolean;
  /** All are refused that do not have the newest playlist's token. */
  readonly hasTokens?: boolean;
  /** MEDIA-SEQUENCE always says 0. */
  readonly doesNotCount?: boolean;
  /** Partial segments and preload hints. */
  readonly isLowLatency?: boolean;
  readonly contentType?: string;
  /** Lines of its own for segment n. */
  readonly tags?: (n: number) => readonly string[];
  /** The factor by which its clock runs faster than ours. */
  readonly speed?: number;
  /** Milliseconds by which segment n is listed late. */
  readonly lateMs?: (n: number) => number;
  /** Answers instead; undefined leaves it to the server. */
  readonly answer?: (path: string, request: IncomingMessage, response: ServerResponse) => true | undefined;
}
