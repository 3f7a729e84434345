/** H.264 in RTP (RFC 6184), for cameras made in tests. Pure. */

const PAYLOAD_TYPE = 96;
const MAX_PAYLOAD_BYTES = 1400;
const SPS = 7;
const PPS = 8;
const DELIMITER = 9;
const FRAGMENT = 28;

/** Units of each picture of an Annex B clip with access unit delimiters, without start codes and delimiters. */
export function pictures(clip: Buffer): Buffer[][] {
  const found: Buffer[][] = [];
  let at = clip.indexOf(Buffer.from([0, 0, 1]));
  while (at >= 0) {
    const next = clip.indexOf(Buffer.from([0, 0, 1]), at + 3);
    let end = next < 0 ? clip.length : next;
    while (end > at && clip[end - 1] === 0) end--;
    const unit = clip.subarray(at + 3, end);
    if (typeOf(unit) === DELIMITER) found.push([]);
    else found.at(-1)?.push(unit);
    at = next;
  }
  return found;
}

/** The first parameter sets of a clip. */
export function parameterSets(clip: readonly Buffer[][]): Buffer[] {
  const units = clip.flat();
  return [SPS, PPS].flatMap((type) => units.find((unit) => typeOf(unit) === type) ?? []);
}

/** Packets of a picture; the last has the marker. */
export function rtpPackets(
  units: readonly Buffer[],
  { sequence, timestamp }: { readonly sequence: number; readonly timestamp: number },
): Buffer[] {
  const payloads = units.flatMap(fragments);
  return payloads.map((payload, i) => {
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = PAYLOAD_TYPE | (i === payloads.length - 1 ? 0x80 : 0);
    head.writeUInt16BE((sequence + i) & 0xffff, 2);
    head.writeUInt32BE(timestamp >>> 0, 4);
    head.writeUInt32BE(0x1234, 8);
    return Buffer.concat([head, payload]);
  });
}

function fragments(unit: Buffer): Buffer[] {
  if (unit.length <= MAX_PAYLOAD_BYTES) return [unit];
  const first = unit[0] ?? 0;
  const found: Buffer[] = [];
  for (let at = 1; at < unit.length; at += MAX_PAYLOAD_BYTES) {
    const end = Math.min(unit.length, at + MAX_PAYLOAD_BYTES);
    const border = (at === 1 ? 0x80 : 0) | (end === unit.length ? 0x40 : 0);
    const head = Buffer.from([(first & 0xe0) | FRAGMENT, border | typeOf(unit)]);
    found.push(Buffer.concat([head, unit.subarray(at, end)]));
  }
  return found;
}

function typeOf(unit: Buffer): number {
  return (unit[0] ?? 0) & 31;
}
