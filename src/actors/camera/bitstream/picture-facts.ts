/** What the headers of a coded picture state: whether decoding can begin there, what needs it, and when it is shown. */

import type { Lacking, Looked } from './lost-parts';
import type { Rotation } from '../ffmpeg/rotation';

/** How the pictures of a stream are coded; out of its sequence parameters. */
export interface VideoFormat {
  /** Pixels that are shown: without what was coded only to fill a block. */
  readonly width: number;
  readonly height: number;
  /** 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4 (H.264, table 6-1). */
  readonly chromaFormat: number;
  readonly bitDepth: number;
  /** Its values range from 0 to 255, not from 16 to 235 (H.273, 8.3); false if the stream does not state it. */
  readonly fullRange: boolean;
  /** Its YUV-to-RGB matrix, by number (H.273, table 4); undefined if the stream does not state it. */
  readonly matrix?: number;
}

export interface PictureFacts {
  /** Decodable without other pictures, and so are all pictures shown after it. */
  readonly key: boolean;
  /**
   * State of a decoder fed from the first picture on at which decoding can begin: `undecodable` before that picture,
   * `recovering` while it still shows remains of earlier pictures, `whole` from then on.
   */
  readonly state: 'undecodable' | 'recovering' | 'whole';
  /** It is shown after all that came before it: a decoder without reordering outputs it at once. */
  readonly inOrder: boolean;
  /** Pictures shown after it may be predicted from it. */
  readonly needed: boolean;
  /** From this picture on, earlier damage is no longer visible. */
  readonly renews: boolean;
  /** Its odd and even lines show two moments. */
  readonly interlaced: boolean;
  /** What is missing of it, or of what it is predicted from, according to its headers. */
  readonly lacks?: Lacking | undefined;
}

/** One half of a picture whose lines come in two access units (H.264, 7.4.1.2.4). */
export interface Field {
  readonly parity: 'top' | 'bottom';
  readonly frameNumber: number;
}

/** Reads the headers of a stream's access units, one after the other. */
export interface PictureReader {
  /** Format of the newest picture; undefined before the first, and if the codec's headers are not read. */
  readonly format: VideoFormat | undefined;
  /** According to the newest keyframe; undefined if it has none. */
  readonly rotation: Rotation | undefined;
  /**
   * @param key what ffmpeg's demuxer says
   * @returns undefined for what holds no picture that could be read
   */
  read(unit: Buffer, key: boolean): PictureFacts | undefined;
  /**
   * The access unit for a decoder that is to output every picture at once, and to restart with a keyframe: pictures in between may have
   * been left out.
   */
  forDecoder(unit: Buffer, key: boolean): Buffer;
  /** Checks all of a picture's data, beyond its headers; absent if no such check exists. For the newest picture read, or one before. */
  damageIn?(unit: Buffer): Looked;
  /** The field an access unit consists of; undefined when it is a whole picture, or none. */
  fieldOf(unit: Buffer): Field | undefined;
}
