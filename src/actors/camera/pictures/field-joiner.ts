/**
 * Joins two fields that arrive as separate access units, because whole pictures are sampled and decoded.
 * Pure.
 */
import type { Field, PictureReader } from '../bitstream/picture-facts';
import type { Packet } from '../ffmpeg/packet-splitter';

export class FieldJoiner {
  /** A field whose counterpart is awaited. */
  #first: { readonly packet: Packet; readonly field: Field } | undefined;

  constructor(private readonly reader: PictureReader) {}

  /**
   * Returns the pictures that this packet completes, in order. A field without its counterpart is marked as
   * damaged.
   */
  push(packet: Packet): Packet[] {
    const field = this.reader.fieldOf(packet.bytes);
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined && field !== undefined && isOtherField(first.field, field))
      return [joined(first.packet, packet)];
    const alone = first === undefined ? [] : [{ ...first.packet, corrupt: true }];
    if (field === undefined) return [...alone, packet];
    this.#first = { packet, field };
    return alone;
  }
}

function isOtherField(one: Field, other: Field): boolean {
  return one.parity !== other.parity && one.frameNumber === other.frameNumber;
}

/**
 * Keeps the time and kind of the first field: it was captured first, and the second may be predicted from it.
 */
function joined(first: Packet, second: Packet): Packet {
  return {
    ...first,
    bytes: Buffer.concat([first.bytes, second.bytes]),
    checksum: first.checksum + second.checksum,
    corrupt: first.corrupt || second.corrupt,
  };
}
