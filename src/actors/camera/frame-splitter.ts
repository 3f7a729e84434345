/**
 * Joins ffmpeg's two outputs into pictures: the bytes on one pipe, on the other a framecrc line for each with its
 * time and its exact size, so that no picture is searched for by its markers.
 */
import { Fault } from '../../protocol/fault';

/** A picture as ffmpeg gave it. */
export interface Picture {
  /** Presentation time, milliseconds; since the epoch unless the feed's clock was not yet known (then near 0). */
  readonly pts: number;
  readonly width: number;
  readonly height: number;
  readonly bytes: Buffer;
}

/** Uncompressed 8K in 24 bits is 100 MB; no encoded picture is larger. */
const MAX_PICTURE_BYTES = 128 * 1024 * 1024;
/** A framecrc line has about 60 characters. */
const MAX_LINE_CHARS = 1000;

export class FrameSplitter {
  #chunks: Buffer[] = [];
  #buffered = 0;
  #text = '';
  #expected: { pts: number; size: number }[] = [];
  #width = 0;
  #height = 0;

  /** Takes bytes of pictures; returns those now complete. */
  pushBytes(chunk: Buffer): Picture[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    if (this.#buffered > 2 * MAX_PICTURE_BYTES) throw tooLarge(this.#buffered);
    return this.#complete();
  }

  /**
   * Takes text of the framecrc output; returns the pictures now complete.
   * @throws Fault `bad-capture-output` when it is not what ffmpeg writes.
   */
  pushText(chunk: string): Picture[] {
    const lines = (this.#text + chunk).split('\n');
    this.#text = lines.pop() ?? '';
    if (this.#text.length > MAX_LINE_CHARS) throw notUnderstood(this.#text);
    for (const line of lines) this.#readLine(line);
    return this.#complete();
  }

  #readLine(line: string): void {
    const dimensions = /^#dimensions 0: (\d+)x(\d+)/.exec(line);
    if (dimensions !== null) {
      this.#width = Number(dimensions[1]);
      this.#height = Number(dimensions[2]);
    }
    if (line.startsWith('#') || line.trim() === '') return;
    const fields = /^0,\s*-?\d+,\s*(-?\d+),\s*\d+,\s*(\d+),/.exec(line);
    if (fields === null) throw notUnderstood(line);
    const size = Number(fields[2]);
    if (size > MAX_PICTURE_BYTES) throw tooLarge(size);
    if (size === 0) throw notUnderstood(line);
    this.#expected.push({ pts: Number(fields[1]), size });
  }

  #complete(): Picture[] {
    const pictures: Picture[] = [];
    for (
      let next = this.#expected[0];
      next !== undefined && next.size <= this.#buffered;
      next = this.#expected[0]
    ) {
      this.#expected.shift();
      const { pts, size } = next;
      pictures.push({ pts, width: this.#width, height: this.#height, bytes: this.#take(size) });
    }
    return pictures;
  }

  /** The next `size` bytes; they are there. */
  #take(size: number): Buffer {
    const all = Buffer.concat(this.#chunks);
    const rest = all.subarray(size);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#buffered = rest.length;
    return all.subarray(0, size);
  }
}

function tooLarge(bytes: number): Fault {
  return new Fault(
    'picture-too-large',
    `a picture of ${String(bytes)} bytes, at most ${String(MAX_PICTURE_BYTES)} are taken`,
  );
}

function notUnderstood(line: string): Fault {
  return new Fault('bad-capture-output', `ffmpeg wrote a line that was not understood: ${line.slice(0, 80)}`);
}
