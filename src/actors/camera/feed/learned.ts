/** What earlier openings of a feed have taught about how to open it next. */
import type { StreamForm } from '../ffmpeg/stream-form';
import type { LossWatch } from '../rtsp/loss-watch';
import type { RtspEntrance } from '../rtsp/entrance';

export interface Learned {
  readonly form: StreamForm;
  /** An RTSP camera's answer when it was queried. */
  readonly entrance: RtspEntrance;
  /** Counts packets lost over UDP. */
  readonly losses: LossWatch;
  /** The feed is ended with the fault `udp-loss` if losses continue. */
  readonly leavesUdp: boolean;
}
