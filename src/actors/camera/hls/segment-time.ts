/**
 * Reads the start time of a segment: if it is before that of the previous one, times have restarted. Pure.
 */

const TS_PACKET_BYTES = 188;
const TS_SYNC = 0x47;
/** Number of MPEG-TS packets examined: the first with a time is one of the first ten or so. */
const MAX_TS_PACKETS = 2000;
/** Number of ISO boxes examined. */
const MAX_BOXES = 100;

/** In ticks of the segment's own time base, comparable within one run of segments; undefined if not found. */
export function firstTime(segment: Buffer): number | undefined {
  return segment[0] === TS_SYNC ? firstTsTime(segment) : firstFragmentTime(segment);
}

/** The first presentation time of video in MPEG-TS (ISO 13818-1, 2.4.3.7). */
function firstTsTime(bytes: Buffer): number | undefined {
  const end = Math.min(bytes.length - TS_PACKET_BYTES, MAX_TS_PACKETS * TS_PACKET_BYTES);
  for (let at = 0; at <= end; at += TS_PACKET_BYTES) {
    if (bytes[at] !== TS_SYNC) return undefined;
    const startsUnit = ((bytes[at + 1] ?? 0) & 0x40) !== 0;
    const control = bytes[at + 3] ?? 0;
    if (!startsUnit || (control & 0x10) === 0) continue;
    const payload = at + 4 + ((control & 0x20) === 0 ? 0 : 1 + (bytes[at + 4] ?? 0));
    if (payload + 14 > at + TS_PACKET_BYTES) continue;
    const isVideo = bytes.readUIntBE(payload, 3) === 1 && ((bytes[payload + 3] ?? 0) & 0xf0) === 0xe0;
    if (isVideo && ((bytes[payload + 7] ?? 0) & 0x80) !== 0) return readPts(bytes, payload + 9);
  }
  return undefined;
}

/** 33 bits in five bytes. */
function readPts(bytes: Buffer, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = bytes.subarray(at, at + 5);
  return ((a >> 1) & 7) * 2 ** 30 + b * 2 ** 22 + (c >> 1) * 2 ** 15 + d * 2 ** 7 + (e >> 1);
}

/** The first `tfdt` of fragmented MP4 (ISO 14496-12, 8.8.12). */
function firstFragmentTime(bytes: Buffer): number | undefined {
  const traf = findBox(bytes, 0, bytes.length, ['moof', 'traf', 'tfdt']);
  if (traf === undefined || traf + 12 > bytes.length) return undefined;
  return bytes[traf] === 1 ? Number(bytes.readBigUInt64BE(traf + 4)) : bytes.readUInt32BE(traf + 4);
}

/** Offset of the content of the box at the end of `path`. */
function findBox(bytes: Buffer, from: number, end: number, path: readonly string[]): number | undefined {
  const [wanted, ...rest] = path;
  for (let at = from, n = 0; at + 8 <= end && n < MAX_BOXES; n++) {
    const size = bytes.readUInt32BE(at);
    if (size < 8) return undefined;
    if (bytes.toString('latin1', at + 4, at + 8) === wanted)
      return rest.length === 0 ? at + 8 : findBox(bytes, at + 8, Math.min(end, at + size), rest);
    at += size;
  }
  return undefined;
}
