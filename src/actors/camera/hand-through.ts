/** Pictures that are stored as they came: nothing is decoded, their headers alone are read. */
import type { FrameFormat } from '../../contract/frame';
import type { FaultRecord } from '../../protocol/fault';
import type { DecoderOutcome } from './decoder';
import { MAX_PIXELS } from './decoder-arguments';
import { readJpeg, withHuffmanTables } from './jpeg';
import type { Packet, StreamHeader } from './packet-splitter';
import type { Sample } from './sample-plan';

/** That a JPEG without its end was cut; that a packet marked by a demuxer shows damage: it may be one byte. */
const CUT_CONFIDENCE = 99;
export const CORRUPT_CONFIDENCE = 70;

/** @param size of a picture that does not say its own, pixels */
export function handThrough(
  { bytes, checksum, corrupt }: Pick<Packet, 'bytes' | 'checksum' | 'corrupt'>,
  sample: Sample,
  format: FrameFormat | 'ppm',
  size: Pick<StreamHeader, 'width' | 'height'>,
  { onPicture, onLost }: Pick<DecoderOutcome, 'onPicture' | 'onLost'>,
): void {
  const jpeg = format === 'jpeg' ? readJpeg(bytes) : undefined;
  const { width, height } = jpeg ?? size;
  if (isTooLarge(width, height)) {
    onLost(sample, tooLarge(width, height));
    return;
  }
  const cut = format === 'jpeg' && jpeg?.whole !== true ? CUT_CONFIDENCE : undefined;
  const damage = cut ?? (corrupt ? CORRUPT_CONFIDENCE : undefined);
  const evidence = { fingerprint: `${String(bytes.length)}-${checksum}`, damage };
  const stored = format === 'jpeg' ? withHuffmanTables(bytes) : bytes;
  onPicture({ sample, format, bytes: stored, width, height, evidence });
}

export function isTooLarge(width: number, height: number): boolean {
  return width * height > MAX_PIXELS;
}

export function tooLarge(width: number, height: number): FaultRecord {
  const size = `${String(width)}x${String(height)}`;
  const message = `a picture of ${size} pixels, at most ${String(MAX_PIXELS)} are taken; set the camera to fewer`;
  return { code: 'picture-too-large', message };
}
