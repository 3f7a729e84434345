/** The interface from which the HTTP server gets its answers. */
import type { ApiCrash, ApiLedger } from '../view/api';
import type { View } from '../view/daemon-view';

/** A picture without its bytes. */
export interface LatestPicture {
  /** Identifies this frame in this size. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly capturedAt: number;
}

export interface LatestJpeg extends LatestPicture {
  readonly jpeg: Buffer;
}

export interface LedgerQuestion {
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  readonly buckets: number;
  readonly camera: string | undefined;
}

export interface WebSource {
  /** At most a second old. Rejects when the daemon does not answer. */
  view(): Promise<View>;
  /**
   * A camera's present picture, and how to get its bytes, which may be those of a newer one. @param width pixels; undefined for all
   * @throws Problem when there is none, or only an old one
   */
  latest(id: string, width: number | undefined): Promise<LatestPicture & { make(): Promise<LatestJpeg> }>;
  ledger(question: LedgerQuestion): Promise<ApiLedger>;
  /** The crashes of a camera, the newest first. @throws Problem if there is no such camera */
  crashes(id: string): Promise<ApiCrash[]>;
  /** In the text format of Prometheus. */
  metrics(): Promise<string>;
}
