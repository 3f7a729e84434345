/**
 * The smallest container that carries a packet's time and size: a decoder fed with it has no boundary to search for
 * and therefore holds no picture back. https://wiki.multimedia.cx/index.php/Duck_IVF
 */

/** Written once. Size and codec are left out: the decoder is told the codec by name. */
export function ivfHeader(): Buffer {
  const header = Buffer.alloc(32);
  header.write('DKIF', 0, 'latin1');
  header.writeUInt16LE(header.length, 6);
  header.writeUInt32LE(1000, 16);
  header.writeUInt32LE(1, 20);
  return header;
}

/** Written before each packet. @param pts milliseconds, not negative */
export function ivfPacketHeader(size: number, pts: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(size, 0);
  header.writeBigUInt64LE(BigInt(pts), 4);
  return header;
}
