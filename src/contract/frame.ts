/** Metadata of one captured picture: the record that travels between actors. Never the picture's bytes. */
import type { Verdict } from './verdict';

/**
 * Encodings a stored frame may have; the value in Redis is exactly one picture in this encoding. `h264` and `h265` are
 * a keyframe as the camera sent it: one Annex B access unit with its parameter sets.
 */
export const FRAME_FORMATS = ['jpeg', 'png', 'webp', 'h264', 'h265'] as const;
export type FrameFormat = (typeof FRAME_FORMATS)[number];

/** Maximum number of pixels of a picture (8K UHD has 33 million): cameras deliver none above it, decodeFrame accepts all up to it. */
export const MAX_PIXELS = 40_000_000;

/** Camera ids are safe in keys, routing keys and paths because of this alphabet. */
export const CAMERA_ID_PATTERN = '^[A-Za-z0-9_-]{1,64}$';
/** Namespaces share the alphabet: they begin keys, exchanges and queues. */
export const NAMESPACE_PATTERN = '^[A-Za-z0-9_-]{1,64}$';

/** Tags group cameras; they appear unquoted in URLs, labels and shell commands. */
export const TAG_PATTERN = '^[A-Za-z0-9_.:-]{1,32}$';
/** Maximum number of tags of a camera. */
export const MAX_TAGS = 16;

/** The clock on which a capture time is based. */
export const CLOCKS = ['camera', 'arrival'] as const;

export interface FrameClock {
  /** `camera`: the camera's own, according to its RTCP sender reports. `arrival`: this machine's, when the picture came. */
  readonly clock: (typeof CLOCKS)[number];
  /** Whole milliseconds of the camera's clock minus the arrival; absent until the camera has reported its clock. */
  readonly clockSkewMs?: number;
  /** This machine's clock was earlier than the release of this version of Vigil, and so was wrong. */
  readonly clockUnset?: true;
  /** Milliseconds by which a slow or stalled link brought the picture late; absent if it arrived in time. */
  readonly linkDelayMs?: number;
}

export interface Frame extends Partial<FrameClock> {
  readonly camera: string;
  /** Capture time, milliseconds since the epoch. */
  readonly capturedAt: number;
  /**
   * Number of the sampling period the picture was taken for: `floor(arrival / periodMs)` by this machine's clock, or one
   * off if it was taken outside its period; by how much: docs/contract.md. It needs no stored state, survives every restart, and two frames of a
   * camera whose sequences differ by more than one have missed periods between them.
   */
  readonly sequence: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly format: FrameFormat;
  /** Pixels of the picture as the camera sent it; absent if it was spooled by an older version. */
  readonly sourceWidth?: number;
  readonly sourceHeight?: number;
  /** Degrees clockwise by which it is still to be turned to be upright: 90, 180 or 270; absent if it is upright. */
  readonly rotation?: 90 | 180 | 270;
  /** Size of the encoded picture. */
  readonly bytes: number;
  /** Absent if it was spooled before there were verdicts. */
  readonly verdict?: Verdict;
}

/** Deterministic identity of a frame: a repeated announcement carries the same one. */
export function frameId(frame: Pick<Frame, 'camera' | 'capturedAt'>): string {
  return `${frame.camera}-${frame.capturedAt}`;
}

/** File extension a frame of this format is stored under. */
export function frameExtension(format: FrameFormat): string {
  return format === 'jpeg' ? 'jpg' : format;
}

/** Format of a file extension written by {@link frameExtension}; undefined for any other. */
export function formatOfExtension(extension: string): FrameFormat | undefined {
  return FRAME_FORMATS.find((format) => frameExtension(format) === extension);
}
