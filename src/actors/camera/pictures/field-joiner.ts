/** Joins the two fields of a picture that come as access units of their own: what is sampled and decoded is a picture. Pure. */
import type { Field, PictureReader } from '../bitstream/picture-facts';
import type { Packet } from '../ffmpeg/packet-splitter';

export class FieldJoiner {
  /** A field whose other one is awaited. */
  #first: { readonly packet: Packet; readonly field: Field } | undefined;

  constructor(private readonly reader: PictureReader) {}

  /** The pictures that are complete with this packet, in their order. A field whose other one was lost is marked as damaged. */
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

/** Time and kind are the first field's: it was captured first, and the second may be predicted from it. */
function joined(first: Packet, second: Packet): Packet {
  return {
    ...first,
    bytes: Buffer.concat([first.bytes, second.bytes]),
    checksum: first.checksum + second.checksum,
    corrupt: first.corrupt || second.corrupt,
  };
}
