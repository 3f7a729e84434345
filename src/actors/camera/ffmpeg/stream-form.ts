/** The form of a stream as its packets have revealed it, which determines how ffmpeg must read it. */

/** Properties that packets have shown. */
export interface StreamForm {
  /** Codec whose packets have lengths instead of start codes. */
  readonly lengthPrefixed?: string;
  /** A picture arrives in two packets, one for each field. */
  readonly fieldCoded?: true;
  /**
   * The video begins late, or its first packet does not describe it: the stream is examined for up to
   * `connectMs`.
   */
  readonly videoIsLate?: true;
}

/** The stream has another form than expected: the feed has to be reopened. */
export class OtherForm extends Error {
  constructor(readonly form: StreamForm) {
    super('a stream of another form');
  }
}
