/** A JPEG's frame, read from its segments without decoding: its size, and whether it is all there. ITU-T T.81, B.1. */

export interface JpegFrame {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** False when it does not end as a JPEG does. */
  readonly whole: boolean;
}

const START = 0xd8;
const SCAN = 0xda;
/** Some cameras fill up behind the end: looked for in so many of the last bytes. */
const END_WITHIN_BYTES = 64;
const END = Buffer.from([0xff, 0xd9]);

/** Undefined when its size cannot be read: it is no JPEG, or cut before its first scan. */
export function readJpeg(bytes: Buffer): JpegFrame | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== START) return undefined;
  let size: { width: number; height: number } | undefined;
  for (let at = 2; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff) return undefined;
    // Any number of 0xFF may stand before a marker.
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (isFrameHeader(marker) && at + 9 <= bytes.length)
      size = { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    if (marker === SCAN)
      return size === undefined || size.width === 0 || size.height === 0
        ? undefined
        : { ...size, whole: endsWell(bytes) };
    const length = bytes.readUInt16BE(at + 2);
    if (length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}

/** SOF0 to SOF15, without the tables that have numbers among theirs. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function endsWell(bytes: Buffer): boolean {
  const tail = bytes.subarray(-END_WITHIN_BYTES);
  const end = tail.lastIndexOf(END);
  // A cut picture may hold the marker of a thumbnail in its last bytes, but not with nothing else behind.
  return (
    end >= 0 &&
    tail.subarray(end + 2).every((byte) => byte === 0 || byte === 0xff || byte === 10 || byte === 13)
  );
}
