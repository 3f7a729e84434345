/** A row of the matrix: one camera, its stream, how it is read, and what is observed. */
import type { Frame } from '../../src/contract/frame';
import type { CameraAudio, CameraQuirks } from '../feeds/camera-description';
import type { Recipe } from './recipe';
import type { SentPictures } from './sent-pictures';

/** What serves the stream. `rtsp-*` is the tests' own camera, `gst-*` GStreamer's server, `rtmp` ffmpeg's. */
export const FEEDS = [
  'rtsp-tcp',
  'rtsp-udp',
  'gst-tcp',
  'gst-udp',
  'rtmp',
  'hls',
  'hls-plain',
  'mjpeg',
  'file',
  'still',
] as const;
export type FeedKind = (typeof FEEDS)[number];

/** Quirks of an RTSP camera. `stale`: the description states the parameters of a stream of another size. */
export interface RowQuirks extends Omit<CameraQuirks, 'parameters'> {
  readonly parameters?: 'untold' | 'stale';
}

export interface Row {
  /** The feed, then what is not as in the plain row. */
  readonly name: string;
  readonly feed: FeedKind;
  readonly recipe: Recipe;
  readonly audio?: CameraAudio;
  /** The unit of the clip at which the camera joins. */
  readonly joinAt?: number;
  readonly quirks?: RowQuirks;
  /** Settings of the camera beside its address, as an operator writes them. */
  readonly camera: Readonly<Record<string, unknown>>;
  /** Seconds it is watched from its first picture on. */
  readonly seconds: number;
  /** Milliseconds from picture to picture; a sampling period unless the stream gives less. */
  readonly everyMs: number;
  /** Is run by `npm test` too. */
  readonly cheap: boolean;
}

export interface Delivered {
  readonly frame: Frame;
  /** When the camera reported it, milliseconds since the epoch. */
  readonly announcedAt: number;
  readonly bytes: Buffer;
}

/** What was seen of a row. */
export interface Observation {
  readonly row: Row;
  /** Milliseconds from the start to the first picture; undefined when none came. */
  readonly firstPictureMs?: number;
  /** When the watching ended, milliseconds since the epoch. */
  readonly endedAt: number;
  readonly delivered: readonly Delivered[];
  /** Undefined where the time at which a picture was sent is unknown: a file, a playlist. */
  readonly sent: SentPictures | undefined;
  /** Warnings and errors of its log. */
  readonly messages: readonly string[];
  /** Why it had to be reopened once pictures had come. */
  readonly interruptions: readonly string[];
  /** What kept the row from being run at all. */
  readonly failure?: string;
}

/** True for a feed that is read at its own speed: the times at which its pictures were sent are unknown. */
export function isPacedFeed(feed: FeedKind): boolean {
  return feed === 'file' || feed === 'hls' || feed === 'hls-plain';
}
