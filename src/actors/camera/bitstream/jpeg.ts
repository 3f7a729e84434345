/** Reads a JPEG without decoding it: its size, whether it is complete, and the tables it omits. ITU-T T.81, annex B. */
import { JpegScan } from './jpeg-scan';
import { standardTables } from './jpeg-tables';

export interface JpegFrame {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** False when it has no end marker, whatever some cameras put behind it. */
  readonly whole: boolean;
}

interface Scanned {
  readonly scan: JpegScan;
  readonly isWhole: boolean;
}

/** Several callers ask about the same picture; it is scanned once. */
const scanned = new WeakMap<Buffer, Scanned>();

function scanOf(bytes: Buffer): Scanned {
  const known = scanned.get(bytes);
  if (known !== undefined) return known;
  const scan = new JpegScan();
  const found = { scan, isWhole: scan.advance(bytes).kind === 'end' };
  scanned.set(bytes, found);
  return found;
}

/** Undefined when its size cannot be read: it is not a JPEG, or cut before its first scan. */
export function readJpeg(bytes: Buffer): JpegFrame | undefined {
  const { scan, isWhole } = scanOf(bytes);
  const { size, firstScanAt } = scan;
  if (firstScanAt === undefined || size === undefined || size.width === 0 || size.height === 0)
    return undefined;
  return { ...size, whole: isWhole };
}

/**
 * Adds the standard Huffman tables if the picture refers to tables without defining them: Motion JPEG allows that, and
 * decoders for JPEG files do not support it. Nothing is re-encoded; a picture that needs no change is returned unchanged.
 */
export function withHuffmanTables(bytes: Buffer): Buffer {
  const { firstScanAt, missingTables } = scanOf(bytes).scan;
  const tables = standardTables(missingTables);
  if (firstScanAt === undefined || tables.length === 0) return bytes;
  return Buffer.concat([bytes.subarray(0, firstScanAt), tables, bytes.subarray(firstScanAt)]);
}
