/**
 * The rotation that an MP4 or MOV file declares for its video, and whether it is mirrored: ffmpeg reports
 * only the angle. Pure.
 */
import { rotated, type Rotation } from './rotation';

/** Offset of the version in a track header, counted from its type; the position of its matrix depends on it (ISO 14496-12, 8.3.2). */
const VERSION_AT = 4;
const MATRIX_AT = [44, 56] as const;
/** Length of the matrix up to the last number that is needed. */
const MATRIX_BYTES = 20;
/** Offset of the handler type, which names the kind of track (8.4.3). */
const HANDLER_AT = 12;

interface Box {
  readonly type: string;
  /** The box from its type on. */
  readonly bytes: Buffer;
}

/** Rotation of the first video track, from the head of a fragmented file; undefined if not found. */
export function headRotation(head: Buffer): Rotation | undefined {
  const movie = [...boxes(head, 0)].find(({ type }) => type === 'moov');
  return movie && movieRotation(movie.bytes);
}

/** Rotation of the first video track. @param movie the box that describes the tracks, from its type on */
export function movieRotation(movie: Buffer): Rotation | undefined {
  for (const track of boxes(movie, 4)) {
    if (track.type !== 'trak') continue;
    const inside = [...boxes(track.bytes, 4)];
    const media = inside.find(({ type }) => type === 'mdia');
    const handler = media && [...boxes(media.bytes, 4)].find(({ type }) => type === 'hdlr');
    if (handler?.bytes.toString('latin1', HANDLER_AT, HANDLER_AT + 4) !== 'vide') continue;
    const header = inside.find(({ type }) => type === 'tkhd')?.bytes;
    return header && matrixRotation(header);
  }
  return undefined;
}

/** Mirroring precedes the turn, so the second row of the matrix is that of the turn in either case. */
function matrixRotation(header: Buffer): Rotation | undefined {
  const at = MATRIX_AT[header[VERSION_AT] === 0 ? 0 : 1];
  if (header.length < at + MATRIX_BYTES) return undefined;
  const [a, b, c, d] = [0, 4, 12, 16].map((offset) => header.readInt32BE(at + offset)) as [
    number,
    number,
    number,
    number,
  ];
  return rotated((Math.atan2(-c, d) * 180) / Math.PI, a * d - b * c < 0);
}

/** The boxes inside another box, after its first `from` bytes. */
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
