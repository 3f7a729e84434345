/** Pictures that are stored as they arrived: nothing is decoded, only their headers are read. */
import { MAX_PIXELS, type FrameFormat } from '../../../contract/frame';
import type { FaultRecord } from '../../../fault/fault';
import type { Damage } from './damage';
import type { DecoderOutcome, PictureSize } from './decoder';
import { isUpright, UPRIGHT, type Rotation } from '../ffmpeg/rotation';
import { readJpeg, withHuffmanTables } from '../bitstream/jpeg';
import type { Packet } from '../ffmpeg/packet-splitter';
import type { Sample } from '../sampling/sample';

/** A JPEG without its end. */
const CUT: Damage = { reason: 'cut', confidence: 99 };
/** A packet marked as damaged by a demuxer: perhaps only one byte is. */
const MARKED: Damage = { reason: 'packet-loss', confidence: 70 };
/** Packets were lost before this one; they may have belonged to the previous picture. */
const LOST: Damage = { reason: 'packet-loss', confidence: 93 };

/**
 * @param size of a picture that does not state its own, pixels
 * @param rotation that would turn the picture upright
 */
export function handThrough(
  packet: Pick<Packet, 'bytes' | 'checksum' | 'corrupt' | 'lossBefore'>,
  sample: Sample,
  format: FrameFormat | 'ppm',
  size: PictureSize,
  { onPicture, onLost }: Pick<DecoderOutcome, 'onPicture' | 'onLost'>,
  rotation: Rotation = UPRIGHT,
): void {
  const { bytes, checksum } = packet;
  const jpeg = format === 'jpeg' ? readJpeg(bytes) : undefined;
  const { width, height } = jpeg ?? size;
  if (isTooLarge(width, height)) {
    onLost(sample, tooLarge(width, height));
    return;
  }
  const cut = format === 'jpeg' && jpeg?.whole !== true ? CUT : undefined;
  // ffmpeg drops incomplete JPEGs, so a loss before one proves nothing about it.
  const damage = cut ?? damageOnTheWay(format === 'jpeg' ? { corrupt: packet.corrupt } : packet);
  const evidence = { fingerprint: `${bytes.length}-${checksum}`, damage };
  const stored = format === 'jpeg' ? withHuffmanTables(bytes) : bytes;
  const source = { width, height };
  const left = isUpright(rotation) ? {} : { rotation };
  onPicture({ sample, format, bytes: stored, ...source, source, ...left, evidence });
}

/** A sign that the decoded picture of a packet is damaged; undefined if there is none. */
export function damageOnTheWay({
  corrupt,
  lossBefore,
}: Pick<Packet, 'corrupt' | 'lossBefore'>): Damage | undefined {
  return corrupt ? MARKED : lossBefore === true ? LOST : undefined;
}

export function isTooLarge(width: number, height: number): boolean {
  return width * height > MAX_PIXELS;
}

export function tooLarge(width: number, height: number): FaultRecord {
  const size = `${width}x${height}`;
  const message = `a picture of ${size} pixels (limit: ${MAX_PIXELS}); set the camera to a lower resolution`;
  return { code: 'picture-too-large', message };
}
