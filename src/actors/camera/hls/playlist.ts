/** HLS playlists, reduced to what is needed for video. */

export interface Resource {
  readonly url: string;
  /** Undefined for the whole resource. */
  readonly range?: { readonly offset: number; readonly length: number } | undefined;
}

export interface SegmentKey {
  readonly method: string;
  readonly url: string;
  /** 16 bytes; if undefined, derived from the sequence number. */
  readonly iv?: Buffer | undefined;
}

export interface Segment extends Resource {
  readonly sequence: number;
  readonly durationMs: number;
  /** Times, codec and size may differ from those before. */
  readonly discontinuity: boolean;
  /** Declared as missing. */
  readonly gap: boolean;
  readonly key?: SegmentKey | undefined;
  /** Initialization section of fragmented MP4. */
  readonly map?: (Resource & { readonly key: SegmentKey | undefined }) | undefined;
}

export interface MediaPlaylist {
  readonly kind: 'media';
  readonly targetMs: number;
  readonly segments: readonly Segment[];
  /** No segments will be added. */
  readonly ended: boolean;
  /** It has ended and still has its first segment, so it is played from the start. */
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

/** A ten-hour window of two-second segments has some 2 MB. */
export const MAX_PLAYLIST_BYTES = 4 * 1024 * 1024;
