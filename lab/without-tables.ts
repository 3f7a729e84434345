/** A JPEG without its Huffman tables, as many cameras send it. */
export function withoutTables(bytes: Buffer): Buffer {
  const kept = [bytes.subarray(0, 2)];
  for (let at = 2; ;) {
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    const marker = bytes[at + 1];
    if (marker !== 0xc4) kept.push(bytes.subarray(at, end));
    at = end;
    if (marker === 0xda) return Buffer.concat([...kept, bytes.subarray(at)]);
  }
}
