/** Of codecs whose headers are not read: every picture is what ffmpeg says, and shown in the order it comes. */
import type { PictureFacts, PictureReader } from './picture-facts';

export class OtherReader implements PictureReader {
  readonly format = undefined;
  #begun = false;

  fieldOf(): undefined {
    return undefined;
  }

  forDecoder(unit: Buffer): Buffer {
    return unit;
  }

  read(_unit: Buffer, key: boolean): PictureFacts {
    this.#begun ||= key;
    const state = this.#begun ? 'whole' : 'undecodable';
    return { key, state, inOrder: true, needed: true, renews: key, interlaced: false };
  }
}
