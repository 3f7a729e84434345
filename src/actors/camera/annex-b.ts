/** The sequence parameter sets of an Annex B access unit: where they change, so does the pictures' size or coding. */

/** NAL unit types, by codec: sequence parameter sets, and the slices that no parameter set comes behind. */
const TYPES: Readonly<
  Record<string, { type(header: number): number; sets: readonly number[]; slices: number[] }>
> = {
  h264: { type: (header) => header & 0x1f, sets: [7], slices: [1, 5] },
  hevc: { type: (header) => (header >> 1) & 0x3f, sets: [33], slices: [0, 31] },
};
/** They stand at the beginning; what comes after so much is not looked at. */
const MAX_SCAN_BYTES = 4096;

/** Empty when the access unit carries none, or the codec has none. */
export function sequenceParameters(codec: string, unit: Buffer): Buffer {
  const types = TYPES[codec];
  if (types === undefined) return Buffer.alloc(0);
  const sets: Buffer[] = [];
  const head = unit.subarray(0, MAX_SCAN_BYTES);
  for (let start = nextStart(head, 0); start >= 0;) {
    const type = types.type(head[start] ?? 0);
    const [first = 0, last = 0] = types.slices;
    if (type >= first && type <= last) break;
    const next = nextStart(head, start);
    if (types.sets.includes(type)) sets.push(head.subarray(start, next < 0 ? head.length : next - 3));
    start = next;
  }
  return Buffer.concat(sets);
}

/** True when the bytes begin as Annex B does: with a start code, not with a length. */
export function isAnnexB(unit: Buffer): boolean {
  return (
    unit.length > 4 && unit[0] === 0 && unit[1] === 0 && (unit[2] === 1 || (unit[2] === 0 && unit[3] === 1))
  );
}

/** Offset behind the next start code; -1 when there is none. */
function nextStart(bytes: Buffer, from: number): number {
  const at = bytes.indexOf('\x00\x00\x01', from, 'latin1');
  return at < 0 ? -1 : at + 3;
}
