/** What packets have revealed of the form of their stream, which determines how ffmpeg is to read it. */

/** What its packets have shown. */
export interface StreamForm {
  /** Codec whose packets have lengths instead of start codes. */
  readonly lengthPrefixed?: string;
  /** A picture comes in two packets, one for each field. */
  readonly fieldCoded?: true;
  /** Its video begins late, or is not described by its first packet: it is examined for up to `connectMs`. */
  readonly videoIsLate?: true;
}

/** The stream has another form than was expected: the feed has to be opened again. */
export class OtherForm extends Error {
  constructor(readonly form: StreamForm) {
    super('a stream of another form');
  }
}
