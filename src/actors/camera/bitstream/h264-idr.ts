/**
 * Makes an intra picture the start of a new sequence (H.264, 7.3.3 and 7.4.1.2.4). If pictures were left out, a decoder takes the
 * order count of a picture that is not an IDR picture for that of an older one, and never outputs it. Pure.
 */
import { BitReader, BitWriter, escape, unescape } from './bits';
import type { H264Picture, H264Sequence } from './h264-parameters';
import type { NalUnit } from './nal';

const TYPE_BITS = 0x1f;
const IDR_SLICE = 5;
/** Operations on reference pictures (table 7-9): how many numbers each has; 0 ends them. */
const OPERATION_NUMBERS = [0, 1, 1, 2, 1, 0, 1] as const;

/**
 * Converts an intra slice of a reference picture to one of an IDR picture. Its frame number stays, so that what follows fits.
 * @param pictureId must differ from that of the previous IDR picture
 * @throws OutOfBits if it is truncated
 */
export function asIdrSlice(
  slice: NalUnit,
  sequence: H264Sequence,
  picture: H264Picture,
  pictureId: number,
): NalUnit {
  const payload = unescape(slice.subarray(1));
  const reader = new BitReader(payload);
  const marking = skipToMarking(reader, sequence, picture);
  const writer = new BitWriter().copy(new BitReader(payload), marking.order).unsigned(pictureId);
  const order = new BitReader(payload);
  order.skip(marking.order);
  writer.copy(order, reader.position - marking.order);
  skipMarking(reader);
  // Earlier pictures are output; this one is not a long-term reference.
  writer.flag(false).flag(false);
  const rest = new BitReader(payload);
  rest.skip(reader.position);
  skipToData(reader, picture);
  writer.copy(rest, reader.position - rest.position);
  const header = Buffer.from([((slice[0] ?? 0) & ~TYPE_BITS) | IDR_SLICE]);
  // Arithmetic coding begins at a byte boundary, after one bits (7.3.4).
  const data = picture.isArithmetic ? 8 * Math.ceil(reader.position / 8) : reader.position;
  if (picture.isArithmetic) writer.fillByte(1);
  return Buffer.concat([header, escape(writer.followedBy(payload, data))]);
}

/** Position of the IDR picture number; the reader is left in front of the marking of references. */
function skipToMarking(reader: BitReader, sequence: H264Sequence, picture: H264Picture): { order: number } {
  reader.unsigned();
  reader.unsigned();
  reader.unsigned();
  if (sequence.hasColourPlanes) reader.skip(2);
  reader.skip(sequence.frameNumberBits);
  const isField = !sequence.framesOnly && reader.flag();
  if (isField) reader.skip(1);
  const order = reader.position;
  const hasBottom = picture.hasBottomOrder && !isField;
  if (sequence.order.kind === 'explicit') {
    reader.skip(sequence.order.bits);
    if (hasBottom) reader.signed();
  } else if (sequence.order.kind === 'derived' && sequence.order.hasDeltas) {
    reader.signed();
    if (hasBottom) reader.signed();
  }
  if (picture.hasRedundantCount) reader.unsigned();
  return { order };
}

function skipMarking(reader: BitReader): void {
  if (!reader.flag()) return;
  for (let operation = reader.unsigned(); operation > 0; operation = reader.unsigned())
    for (let left = OPERATION_NUMBERS[operation] ?? 0; left > 0; left--) reader.unsigned();
}

function skipToData(reader: BitReader, picture: H264Picture): void {
  reader.signed();
  if (!picture.hasDeblocking || reader.unsigned() === 1) return;
  reader.signed();
  reader.signed();
}
