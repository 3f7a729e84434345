/** How a file of MP4 or MOV says its video is turned, mirrored or not: ffmpeg names the angle alone. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { turned, type Turn } from '../ffmpeg/turn';

/** Of what describes the tracks; a day of video has a tenth of it. */
const MAX_MOVIE_BYTES = 64 * 1024 * 1024;
/** Of a track header, from its type on: its version, and by that where its matrix begins (ISO 14496-12, 8.3.2). */
const VERSION_AT = 4;
const MATRIX_AT = [44, 56] as const;
/** The same of the word for what kind of track it is (8.4.3). */
const HANDLER_AT = 12;

interface Box {
  readonly type: string;
  /** From its type on. */
  readonly bytes: Buffer;
}

/** Of the first video track; undefined for a file of another kind, or one that cannot be read. */
export function fileTurn(path: string): Turn | undefined {
  try {
    const movie = readMovie(path);
    if (movie === undefined) return undefined;
    for (const track of boxes(movie, 4)) {
      if (track.type !== 'trak') continue;
      const inside = [...boxes(track.bytes, 4)];
      const media = inside.find(({ type }) => type === 'mdia');
      const handler = media && [...boxes(media.bytes, 4)].find(({ type }) => type === 'hdlr');
      if (handler?.bytes.toString('latin1', HANDLER_AT, HANDLER_AT + 4) !== 'vide') continue;
      const header = inside.find(({ type }) => type === 'tkhd')?.bytes;
      return header && matrixTurn(header);
    }
  } catch {
    // Cut, or gone: ffmpeg has read it, and what it said counts.
  }
  return undefined;
}

/** A mirror, if there is one, comes before the turn: the second row of the matrix is the turn's either way. */
function matrixTurn(header: Buffer): Turn {
  const at = MATRIX_AT[header[VERSION_AT] === 0 ? 0 : 1];
  const [a, b, c, d] = [0, 4, 12, 16].map((offset) => header.readInt32BE(at + offset)) as [
    number,
    number,
    number,
    number,
  ];
  return turned((Math.atan2(-c, d) * 180) / Math.PI, a * d - b * c < 0);
}

/** Boxes in another, behind its first `from` bytes. */
function* boxes(bytes: Buffer, from: number): Generator<Box> {
  for (let at = from; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32BE(at);
    if (size < 8) return;
    yield {
      type: bytes.toString('latin1', at + 4, at + 8),
      bytes: bytes.subarray(at + 4, at + size),
    };
    at += size;
  }
}

/** The box that describes the tracks, from its type on, wherever in the file it is. */
function readMovie(path: string): Buffer | undefined {
  const file = openSync(path, 'r');
  try {
    const { size: end } = fstatSync(file);
    const head = Buffer.alloc(16);
    for (let at = 0; at + 8 <= end;) {
      readSync(file, head, 0, head.length, at);
      const short = head.readUInt32BE(0);
      const size = short === 1 ? Number(head.readBigUInt64BE(8)) : short === 0 ? end - at : short;
      if (head.toString('latin1', 4, 8) === 'moov') {
        if (size > MAX_MOVIE_BYTES) return undefined;
        const movie = Buffer.alloc(size - 4);
        readSync(file, movie, 0, movie.length, at + 4);
        return movie;
      }
      if (size < 8) return undefined;
      at += size;
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}
