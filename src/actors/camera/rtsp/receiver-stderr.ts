/**
 * Interprets a receiving ffmpeg's standard error at `-v repeat+level+info`: errors, missed packets,
 * redirects, rotation.
 */
import { lastOf } from '../../../url/redact';
import { LineSplitter } from '../../../os/line-splitter';
import { rotated, type Rotation } from '../ffmpeg/rotation';

/** Characters kept of ffmpeg's errors; the cause is in the last lines. */
const MAX_CHARS = 8000;
/** Limit of an unfinished line. */
const MAX_LINE_CHARS = 2000;
/** A larger step in the packet numbers means that the sender has restarted (RFC 3550, A.1). */
const MAX_DROPOUT = 3000;

const LEVEL = /\[(panic|fatal|error|warning|info|verbose|debug)\] /;
const MISSED = /RTP: missed (-?\d+) packets/;
const REDIRECTED = /Status 3\d\d: Redirecting to (\S+)/;
/** ffmpeg writes this line about its input before the first packet, and later about its output. */
const VIDEO_TRACK = /^ *Stream #0:\d+.*: Video: /;
const OUTPUT = /^Output #0/;
/** Counterclockwise: av_display_rotation_get of libavutil. */
const MATRIX = /^ *displaymatrix: rotation of (-?[\d.]+) degrees/;

export interface ReceiverStderrHandlers {
  /** As ffmpeg would write it with `-v error`, including the line end. */
  readonly onError: (text: string) => void;
  /** This many network packets never arrived, or arrived too late. */
  readonly onLoss: (packets: number) => void;
  /** ffmpeg follows this redirect itself. */
  readonly onRedirect: (url: string) => void;
}

export class ReceiverStderr {
  readonly #lines = new LineSplitter(MAX_LINE_CHARS);
  #errors = '';
  #videoTracks = 0;
  #rotation: Rotation | undefined;
  /** A message may have several lines, of which the first has the level. A line without one was not written by ffmpeg's log. */
  #isError = true;

  constructor(private readonly handlers: ReceiverStderrHandlers) {}

  push(text: string): void {
    for (const line of this.#lines.push(text)) this.#take(line);
  }

  /** The newest of ffmpeg's errors. They may contain the feed's URL with its password. */
  get errors(): string {
    const { isError, text } = this.#read(this.#lines.rest);
    return isError ? this.#errors + text : this.#errors;
  }

  /** Rotation of the first video track, whose packets are delivered; known before the first of them. */
  get rotation(): Rotation | undefined {
    return this.#rotation;
  }

  #take(line: string): void {
    const { isError, text } = this.#read(line);
    this.#isError = isError;
    if (isError) {
      this.#errors = lastOf(`${this.#errors}${text}\n`, MAX_CHARS);
      this.handlers.onError(`${text}\n`);
      return;
    }
    this.#hearOfTracks(text);
    const missed = Number(MISSED.exec(text)?.[1] ?? 0);
    if (missed > 0 && missed <= MAX_DROPOUT) this.handlers.onLoss(missed);
    const url = REDIRECTED.exec(text)?.[1];
    if (url !== undefined) this.handlers.onRedirect(url);
  }

  #hearOfTracks(text: string): void {
    if (VIDEO_TRACK.test(text)) this.#videoTracks++;
    if (OUTPUT.test(text)) this.#videoTracks = Infinity;
    const degrees = this.#videoTracks === 1 ? MATRIX.exec(text)?.[1] : undefined;
    if (degrees !== undefined) this.#rotation = rotated(-Number(degrees));
  }

  #read(line: string): { isError: boolean; text: string } {
    const level = LEVEL.exec(line)?.[1];
    const isError = level === undefined ? this.#isError : /^(?:panic|fatal|error)$/.test(level);
    return { isError, text: line.replace(LEVEL, '') };
  }
}
