/** From packets to coded pictures: fields joined, headers read. Pure. */
import { newPictureReader } from '../bitstream/codec';
import { OtherReader } from '../bitstream/other-reader';
import type { PictureFacts, PictureReader } from '../bitstream/picture-facts';
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
  /** For what the reader cannot read. */
  readonly #others = new OtherReader();

  /** @param codec ffmpeg's name of it */
  constructor(codec: string) {
    this.reader = newPictureReader(codec);
    this.#joiner = new FieldJoiner(this.reader);
  }

  /** The pictures that are complete with this packet, in their order. */
  push(packet: Packet): CodedPicture[] {
    return this.#joiner.push(packet).map((whole) => ({
      packet: whole,
      facts: this.reader.read(whole.bytes, whole.key) ?? this.#others.read(whole.bytes, whole.key),
    }));
  }
}
