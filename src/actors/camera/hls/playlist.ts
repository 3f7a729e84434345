/** HLS playlists as they are read: what is needed of them for video alone. */

export interface Resource {
  readonly url: string;
  /** All of it when undefined. */
  readonly range?: { readonly offset: number; readonly length: number } | undefined;
}

export interface SegmentKey {
  readonly method: string;
  readonly url: string;
  /** 16 bytes; made of the sequence number when undefined. */
  readonly iv?: Buffer | undefined;
}

export interface Segment extends Resource {
  readonly sequence: number;
  readonly durationMs: number;
  /** Times, codec and size may be others than before. */
  readonly discontinuity: boolean;
  /** Said to be missing. */
  readonly gap: boolean;
  readonly key?: SegmentKey | undefined;
  /** What fragmented MP4 begins with. */
  readonly map?: (Resource & { readonly key: SegmentKey | undefined }) | undefined;
}

export interface MediaPlaylist {
  readonly kind: 'media';
  readonly targetMs: number;
  readonly segments: readonly Segment[];
  /** Nothing will be added. */
  readonly ended: boolean;
  /** It has ended and begins with its beginning: played from there. */
  readonly recording: boolean;
}

export interface Variant {
  readonly url: string;
  /** Bits a second; 0 when unknown. */
  readonly bandwidth: number;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** As named in RFC 6381; empty when unknown. */
  readonly codecs: readonly string[];
}

export interface MasterPlaylist {
  readonly kind: 'master';
  readonly variants: readonly Variant[];
}

/** A window of ten hours of segments of two seconds has some 2 MB. */
export const MAX_PLAYLIST_BYTES = 4 * 1024 * 1024;
