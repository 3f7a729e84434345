/** NAL units of an Annex B byte stream (H.264 and H.265, annex B). Pure. */

const START = Buffer.from([0, 0, 1]);
const LONG_START = Buffer.from([0, 0, 0, 1]);

/** Without start code; with its header. */
export type NalUnit = Buffer;

/** The NAL units of an access unit, in order, as views. Zeros behind one belong to the next start code. */
export function* nalUnits(unit: Buffer): Generator<NalUnit> {
  for (let start = behindStartCode(unit, 0); start >= 0;) {
    const next = behindStartCode(unit, start);
    let end = next < 0 ? unit.length : next - START.length;
    while (end > start && unit[end - 1] === 0) end--;
    if (end > start) yield unit.subarray(start, end);
    start = next;
  }
}

/** The rest of an access unit from one of its NAL units on, including the start code of that unit. */
export function fromStartCode(unit: Buffer, nal: NalUnit): Buffer {
  return unit.subarray(nal.byteOffset - unit.byteOffset - START.length);
}

/** Joins NAL units to an access unit again. */
export function annexB(units: readonly NalUnit[]): Buffer {
  return Buffer.concat(units.flatMap((unit) => [LONG_START, unit]));
}

/** True when the bytes begin as Annex B does: with a start code, not with a length. */
export function isAnnexB(unit: Buffer): boolean {
  return (
    unit.length > 4 && unit[0] === 0 && unit[1] === 0 && (unit[2] === 1 || (unit[2] === 0 && unit[3] === 1))
  );
}

/** Offset behind the next start code; -1 when there is none. */
function behindStartCode(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(START, from);
  return at < 0 ? -1 : at + START.length;
}
