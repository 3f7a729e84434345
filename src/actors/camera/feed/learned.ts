/** What openings of a feed have taught about how to open it next. */
import type { LossWatch } from '../rtsp/loss-watch';
import type { RtspEntrance } from '../rtsp/entrance';

/** What its packets have shown. */
export interface StreamForm {
  /** Codec whose packets have lengths instead of start codes. */
  readonly lengthPrefixed?: string;
  /** A picture comes in two packets, one for each field. */
  readonly fieldCoded?: true;
  /** Its video begins late, or cannot be told by its first packet: it is looked at for as long as `connectMs`. */
  readonly videoIsLate?: true;
}

export interface Learned {
  readonly form: StreamForm;
  /** What an RTSP camera answered when it was asked. */
  readonly entrance: RtspEntrance;
  /** Told of packets lost over UDP. */
  readonly losses: LossWatch;
  /** The feed is ended with the fault `udp-loss` when losses go on. */
  readonly leavesUdp: boolean;
}

/** The stream has another form than was expected: the feed has to be opened again. */
export class OtherForm extends Error {
  constructor(readonly form: StreamForm) {
    super('a stream of another form');
  }
}
