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
  /** Still pictures, each requested on its own. */
  readonly still?: true;
}

/** Plan, clock and delay are shared by all openings of the feed. */
export interface FeedOptions extends FeedTimesOptions {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
  /** @param madeBy the settings the picture was made with, if they may be older than the current ones */
  readonly onPicture: (picture: Picture, madeBy?: CameraSpec) => void;
  /** No picture could be made for a sample; the fault is absent if its packet merely could not be decoded. */
  readonly onLost: (sample: Sample, fault?: FaultRecord) => void;
  /** The detected properties of the feed; reported with the first packet of every opening. */
  readonly onStream: (stream: FeedStream) => void;
  /** Standard error of the feed's ffmpeg processes; it may contain the URL with its password. */
  readonly onStderr: (text: string) => void;
  /** The password is sent in readable form to a host that was not verified. */
  readonly onBasic?: (() => void) | undefined;
  /** Milliseconds for which this process and its ffmpegs waited for a processor while no data arrived. */
  readonly onStarved?: ((ms: number) => void) | undefined;
  readonly learned: Learned;
  /**
   * Set while another opening of the feed is being sampled. Called once this opening has proven that it makes
   * pictures (the first is not delivered) and can replace the other without a loss; the callback asks the
   * other to end.
   * @param sample the first sample of this opening, if a sample made it ready
   */
  readonly onReady?: ((sample?: Sample) => void) | undefined;
}
