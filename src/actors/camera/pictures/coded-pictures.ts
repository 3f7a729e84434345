/** From packets to coded pictures: joins fields, reads headers, applies the parameter sets in force. Pure. */
import { newPictureReader } from '../bitstream/codec';
import { OtherReader } from '../bitstream/other-reader';
import type { PictureFacts, PictureReader } from '../bitstream/picture-facts';
import { SentSets } from '../bitstream/sent-sets';
import { FieldJoiner } from './field-joiner';
import type { Packet } from '../ffmpeg/packet-splitter';

/** A packet that holds a whole picture, and the facts in its headers. */
export interface CodedPicture {
  readonly packet: Packet;
  readonly facts: PictureFacts;
}

export class CodedPictures {
  readonly reader: PictureReader;
  readonly #joiner: FieldJoiner;
  readonly #sets: SentSets;
  /** Reads what the codec's reader cannot. */
  readonly #others = new OtherReader();

  /** @param codec ffmpeg's name of the codec */
  constructor(codec: string) {
    this.reader = newPictureReader(codec);
    this.#joiner = new FieldJoiner(this.reader);
    this.#sets = new SentSets(codec);
  }

  /** Returns the pictures that this packet completes, in order. */
  push(packet: Packet): CodedPicture[] {
    const sent = packet.key ? { ...packet, bytes: this.#sets.apply(packet.bytes) } : packet;
    return this.#joiner.push(sent).map((whole) => ({
      packet: whole,
      facts: this.reader.read(whole.bytes, whole.key) ?? this.#others.read(whole.bytes, whole.key),
    }));
  }
}
