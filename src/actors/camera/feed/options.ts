/** Options and callbacks of one opening of a feed. */
import type { CameraSpec } from '../../../config/topology';
import type { FaultRecord } from '../../../fault/fault';
import type { FeedTimesOptions } from '../clock/feed-times';
import type { Picture } from '../pictures/decoder';
import type { Sample } from '../sampling/sample';
import type { Learned } from './learned';

/** The detected properties of a feed. */
export interface FeedStream {
  /** ffmpeg's name. */
  readonly codec: string;
  /** Whether its packets have to be decoded. */
  readonly decoded: boolean;
  /** Still pictures, each asked for. */
  readonly still?: true;
}

/** Plan, clock and delay are shared by all openings of the feed. */
export interface FeedOptions extends FeedTimesOptions {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
  /** @param madeBy the settings it was made by, where those may be older than the present ones */
  readonly onPicture: (picture: Picture, madeBy?: CameraSpec) => void;
  /** No picture could be made for a sample; why, unless it could just not be decoded. */
  readonly onLost: (sample: Sample, fault?: FaultRecord) => void;
  /** The detected properties of the feed; reported with the first packet of every opening. */
  readonly onStream: (stream: FeedStream) => void;
  /** Standard error of its ffmpegs; it may contain the URL with its password. */
  readonly onStderr: (text: string) => void;
  /** The password is sent in readable form to a host that was not verified. */
  readonly onBasic?: (() => void) | undefined;
  /** Milliseconds in which this process and its ffmpegs waited for a processor while nothing came. */
  readonly onStarved?: ((ms: number) => void) | undefined;
  readonly learned: Learned;
  /**
   * Another opening of the feed is being sampled. Called once when this one has proven that it makes pictures (the first is
   * not delivered) and can be sampled in its place without a loss: by then the other must have been asked to end.
   * @param sample the first that this one has taken, if one made it ready
   */
  readonly onReady?: ((sample?: Sample) => void) | undefined;
}
