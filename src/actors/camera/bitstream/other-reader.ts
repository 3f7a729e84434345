/** For codecs whose headers are not read: pictures count as shown in the order they come, and as needed by the next. */
import type { PictureFacts, PictureReader } from './picture-facts';
import type { Rotation } from '../ffmpeg/rotation';

export class OtherReader implements PictureReader {
  readonly format = undefined;
  #begun = false;
  #rotation: Rotation | undefined;

  /**
   * @param isKey recognizes a keyframe where ffmpeg does not
   * @param rotationOf reads the rotation that a picture needs
   */
  constructor(
    private readonly isKey: (unit: Buffer) => boolean = () => false,
    private readonly rotationOf: (unit: Buffer) => Rotation | undefined = () => undefined,
  ) {}

  get rotation(): Rotation | undefined {
    return this.#rotation;
  }

  fieldOf(): undefined {
    return undefined;
  }

  forDecoder(unit: Buffer): Buffer {
    return unit;
  }

  read(unit: Buffer, flagged: boolean): PictureFacts {
    const key = flagged || this.isKey(unit);
    this.#begun ||= key;
    if (key) this.#rotation = this.rotationOf(unit);
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
