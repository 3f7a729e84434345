/** Of codecs whose headers are not read: every picture is shown in the order it comes, and needed by the next. */
import type { PictureFacts, PictureReader } from './picture-facts';

export class OtherReader implements PictureReader {
  readonly format = undefined;
  #begun = false;

  /** @param isKey recognizes a keyframe where ffmpeg does not */
  constructor(private readonly isKey: (unit: Buffer) => boolean = () => false) {}

  fieldOf(): undefined {
    return undefined;
  }

  forDecoder(unit: Buffer): Buffer {
    return unit;
  }

  read(unit: Buffer, flagged: boolean): PictureFacts {
    const key = flagged || this.isKey(unit);
    this.#begun ||= key;
    const state = this.#begun ? 'whole' : 'undecodable';
    return { key, state, inOrder: true, needed: true, renews: key, interlaced: false };
  }
}

/**
 * A keyframe of VP9, by the first byte of its header (VP9 bitstream specification, 6.2, uncompressed_header): ffmpeg's receiver of RTP
 * marks none.
 */
export function isVp9Key(unit: Buffer): boolean {
  const first = unit[0] ?? 0;
  const isFrame = first >> 6 === 2;
  const [showsAnother, isPredicted] = [(first & 0x08) !== 0, (first & 0x04) !== 0];
  return isFrame && !showsAnother && !isPredicted;
}
