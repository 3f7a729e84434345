/** From packets to coded pictures: fields joined, headers read, parameter sets as they count. Pure. */
import { newPictureReader } from '../bitstream/codec';
import { OtherReader } from '../bitstream/other-reader';
import type { PictureFacts, PictureReader } from '../bitstream/picture-facts';
import { SentSets } from '../bitstream/sent-sets';
import { FieldJoiner } from './field-joiner';
import type { Packet } from '../ffmpeg/packet-splitter';

/** A packet that holds a whole picture, and what its headers say. */
export interface CodedPicture {
  readonly packet: Packet;
  readonly facts: PictureFacts;
}

export class CodedPictures {
  readonly reader: PictureReader;
  readonly #joiner: FieldJoiner;
  readonly #sets: SentSets;
  /** For what the reader cannot read. */
  readonly #others = new OtherReader();

  /** @param codec ffmpeg's name of it */
  constructor(codec: string) {
    this.reader = newPictureReader(codec);
    this.#joiner = new FieldJoiner(this.reader);
    this.#sets = new SentSets(codec);
  }

  /** The pictures that are complete with this packet, in their order. */
  push(packet: Packet): CodedPicture[] {
    const sent = packet.key ? { ...packet, bytes: this.#sets.apply(packet.bytes) } : packet;
    return this.#joiner.push(sent).map((whole) => ({
      packet: whole,
      facts: this.reader.read(whole.bytes, whole.key) ?? this.#others.read(whole.bytes, whole.key),
    }));
  }
}
