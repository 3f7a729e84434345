/**
 * Splits the body of an MJPEG answer into pictures as browsers do, by the pictures' own markers. Boundaries
 * and part headers may be absent or wrong: they only tell what is not a picture, and lengths are not used.
 * Pure.
 */
import { MAX_RECEIVED_BYTES } from '../ffmpeg/invocation';
import { JpegScan } from '../bitstream/jpeg-scan';
import { Fault } from '../../../fault/fault';
import { ByteQueue } from './byte-queue';
import { isPictureType } from './content-type';

const PICTURE_START = Buffer.from([0xff, 0xd8, 0xff]);
/** Part headers are shorter. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Most bytes between two pictures; beyond this, boundaries are no longer awaited. */
const MAX_BETWEEN_BYTES = 1024 * 1024;

export class PictureCutter {
  readonly #queue = new ByteQueue();
  /** `--` and the boundary; undefined if the answer names none. */
  readonly #delimiter: Buffer | undefined;
  /** Whether the boundary has occurred: some answers declare a different one from the one they send. */
  #delimited = false;
  /** Scan of the picture being received; undefined between pictures. */
  #scan: JpegScan | undefined;
  /** Offset from which to search for the start of the next picture. */
  #searchFrom = 0;
  #betweenBytes = 0;
  /** After a picture, or inside a part that is not a picture: only a boundary begins the next. */
  #awaitsDelimiter = false;

  /** @param boundary as the answer's `Content-Type` names it */
  constructor(boundary?: string) {
    // Some answers declare the boundary with the dashes that precede it on the wire.
    const token = boundary?.replace(/^-+/, '') ?? '';
    this.#delimiter = token === '' ? undefined : Buffer.from(`--${token}`, 'latin1');
  }

  /** True while a picture has arrived in part. */
  get isInPicture(): boolean {
    return this.#scan !== undefined;
  }

  /**
   * Adds a chunk; returns pictures that are now complete or were cut short: {@link readJpeg} distinguishes
   * them.
   * @throws Fault `picture-too-large`
   */
  push(chunk: Buffer): Buffer[] {
    const pictures: Buffer[] = [];
    this.#queue.append(chunk);
    for (;;) {
      if (this.#scan === undefined && !this.#findStart()) return pictures;
      const length = this.#pictureLength();
      if (length === undefined) {
        if (this.#queue.length > MAX_RECEIVED_BYTES) throw tooLarge();
        return pictures;
      }
      // A copy, because the next bytes overwrite the queue.
      if (length > 0) pictures.push(Buffer.from(this.#queue.bytes.subarray(0, length)));
      this.#finishPicture(length);
    }
  }

  /** The answer has ended: returns the picture it cut short, if any. */
  end(): Buffer[] {
    const rest = this.#scan?.firstScanAt === undefined ? [] : [Buffer.from(this.#queue.bytes)];
    this.#scan = undefined;
    this.#queue.drop(this.#queue.length);
    return rest;
  }

  /**
   * Length of the picture at the start of the queue; 0 if it is not a picture; undefined while it is
   * incomplete.
   */
  #pictureLength(): number | undefined {
    const { bytes } = this.#queue;
    const result = this.#scan?.advance(bytes);
    switch (result?.kind) {
      case 'end':
        return this.#hasBoundaryInHeaders(bytes) ? 0 : result.length;
      case 'cut':
        return this.#scan?.firstScanAt === undefined ? 0 : this.#beforeDelimiter(result.length);
      case 'more':
        return undefined;
      case 'none':
      case undefined:
        return 0;
    }
  }

  /** True for a picture cut short in its headers, whose last segment reaches into the next part. */
  #hasBoundaryInHeaders(bytes: Buffer): boolean {
    const headers = bytes.subarray(0, this.#scan?.firstScanAt ?? 0);
    return this.#delimiter !== undefined && headers.includes(this.#delimiter);
  }

  /** Length of a picture that was cut short, without the boundary and headers of the next one. */
  #beforeDelimiter(length: number): number {
    if (this.#delimiter === undefined) return length;
    const at = this.#queue.bytes.subarray(0, length).lastIndexOf(this.#delimiter);
    return at > 0 ? at : length;
  }

  #finishPicture(length: number): void {
    this.#scan = undefined;
    this.#awaitsDelimiter = true;
    this.#betweenBytes = 0;
    this.#queue.drop(length);
    // If this is not a picture, the search continues after its start marker.
    this.#searchFrom = length > 0 ? 0 : 1;
  }

  /** Drops what is before the next picture; true when the queue begins with one. */
  #findStart(): boolean {
    for (;;) {
      const { bytes } = this.#queue;
      const start = bytes.indexOf(PICTURE_START, this.#searchFrom);
      const end = start < 0 ? bytes.length : start;
      const delimiter = this.#lastDelimiter(bytes, end);
      if (start < 0) {
        this.#dropSearched(delimiter);
        return false;
      }
      if (this.#isPicture(bytes.subarray(delimiter ?? 0, start), delimiter)) {
        this.#scan = new JpegScan();
        this.#queue.drop(start);
        return true;
      }
      this.#searchFrom = start + 1;
      if (this.#betweenBytes + start > MAX_BETWEEN_BYTES) this.#delimited = false;
    }
  }

  /** Offset of the last delimiter that begins before `end`. */
  #lastDelimiter(bytes: Buffer, end: number): number | undefined {
    if (this.#delimiter === undefined) return undefined;
    const at = bytes.subarray(0, end).lastIndexOf(this.#delimiter);
    if (at < 0) return undefined;
    this.#delimited = true;
    return at;
  }

  /**
   * Whether data that begin like a picture are one.
   * @param before the bytes from the boundary, if any, to the start
   */
  #isPicture(before: Buffer, delimiter: number | undefined): boolean {
    // Padding after a picture, and pictures inside others, are not the next part.
    if (delimiter === undefined) return !(this.#delimited && this.#awaitsDelimiter);
    const text = before.toString('latin1', 0, MAX_HEADER_BYTES);
    const type = /(?:^|\n|--[^\r\n]*?)content-type:[ \t]*([^\r\n;]*)/i.exec(text)?.[1];
    if (type === undefined || isPictureType(type)) return true;
    // A part that consists of a picture counts as one whatever its type: cameras declare wrong types.
    return /\r?\n\r?\n$/.test(text);
  }

  /**
   * No picture begins in the queue: keeps the last boundary with its headers, or a marker that may be
   * incomplete.
   */
  #dropSearched(delimiter: number | undefined): void {
    const { length } = this.#queue;
    const half = Math.max(PICTURE_START.length, this.#delimiter?.length ?? 0) - 1;
    const kept = delimiter === undefined ? Math.min(length, half) : length - delimiter;
    const isOther = kept > MAX_HEADER_BYTES;
    if (isOther) this.#awaitsDelimiter = true;
    const dropped = isOther ? length - half : length - kept;
    if (dropped > 0) {
      this.#betweenBytes += dropped;
      this.#queue.drop(dropped);
    }
    this.#searchFrom = Math.max(0, this.#queue.length - half);
  }
}

function tooLarge(): Fault {
  const most = `${MAX_RECEIVED_BYTES / 2 ** 20} MiB`;
  return new Fault(
    'picture-too-large',
    `sends a picture of more than ${most}, or one without an end; restart the camera`,
  );
}
