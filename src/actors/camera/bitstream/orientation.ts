/** Where pictures state their orientation: messages of H.264 and H.265, Exif. Pure. */
import { rotated, UPRIGHT, type Rotation } from '../ffmpeg/rotation';
import { BitReader, OutOfBits } from './bits';

/**
 * A display orientation message, of H.264 (D.1.27) and of H.265 (D.2.17); undefined when it is cut, or takes an earlier one back.
 * @param payload of the SEI, type 47
 */
export function readOrientation(payload: Buffer): Rotation | undefined {
  try {
    const reader = new BitReader(payload);
    if (reader.flag()) return undefined;
    const [leftRight, upsideDown] = [reader.flag(), reader.flag()];
    const anticlockwise = (360 * reader.bits(16)) / 65_536;
    return rotated((upsideDown ? 180 : 0) - anticlockwise, leftRight !== upsideDown);
  } catch (error) {
    if (error instanceof OutOfBits) return undefined;
    throw error;
  }
}

/** Rotation for each orientation of Exif, 1 to 8 (Exif 2.3, 4.6.4). */
const ORIENTATIONS: readonly Rotation[] = [
  UPRIGHT,
  rotated(0, true),
  rotated(180),
  rotated(180, true),
  rotated(270, true),
  rotated(90),
  rotated(90, true),
  rotated(270),
];
const ORIENTATION_TAG = 0x0112;
const EXIF = Buffer.from('Exif\0\0', 'latin1');
/** JPEG markers: of Exif, and of the scan, after which no Exif follows. */
const APP1 = 0xe1;
const START_OF_SCAN = 0xda;

/** Orientation in the Exif data of a JPEG; undefined if there is none. */
export function jpegRotation(jpeg: Buffer): Rotation | undefined {
  let at = 2;
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff) {
    const [marker, length] = [jpeg[at + 1], jpeg.readUInt16BE(at + 2)];
    if (marker === START_OF_SCAN) return undefined;
    const body = jpeg.subarray(at + 4, at + 2 + length);
    if (marker === APP1 && body.subarray(0, EXIF.length).equals(EXIF)) return exifRotation(body.subarray(6));
    at += 2 + length;
  }
  return undefined;
}

/** @param tiff the Exif part after its name */
function exifRotation(tiff: Buffer): Rotation | undefined {
  const isLittle = tiff[0] === 0x49;
  const number = (at: number, bytes: number) => {
    if (at + bytes > tiff.length) return 0;
    return isLittle ? tiff.readUIntLE(at, bytes) : tiff.readUIntBE(at, bytes);
  };
  const directory = number(4, 4);
  for (let entry = 0; entry < number(directory, 2); entry++) {
    const at = directory + 2 + 12 * entry;
    if (number(at, 2) === ORIENTATION_TAG) return ORIENTATIONS[number(at + 8, 2) - 1];
  }
  return undefined;
}
