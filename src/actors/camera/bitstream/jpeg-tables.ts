/** The typical Huffman tables of ITU-T T.81, annex K.3, which Motion JPEG may leave out: RFC 2435, appendix B, has the same. */
import type { TableId } from './jpeg-scan';

/** Number of codes of each length from 1 to 16 bits, then their values, in hexadecimal. */
const STANDARD: ReadonlyMap<TableId, Buffer> = new Map(
  (
    [
      // Luminance and chrominance, DC: tables K.3 and K.4.
      [0x00, '00010501010101010100000000000000', '000102030405060708090a0b'],
      [0x01, '00030101010101010101010000000000', '000102030405060708090a0b'],
      // Luminance, AC: table K.5.
      [
        0x10,
        '0002010303020403050504040000017d',
        '01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a' +
          '3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a929394' +
          '95969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8' +
          'e9eaf1f2f3f4f5f6f7f8f9fa',
      ],
      // Chrominance, AC: table K.6.
      [
        0x11,
        '00020102040403040705040400010277',
        '000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728' +
          '292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92' +
          '939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7' +
          'e8e9eaf2f3f4f5f6f7f8f9fa',
      ],
    ] as const
  ).map(([id, codes, values]) => [id, Buffer.from(codes + values, 'hex')]),
);

/** A segment (DHT) that defines the standard tables of these numbers; empty when there is none to define. */
export function standardTables(ids: readonly TableId[]): Buffer {
  const tables = ids.flatMap((id) => {
    const table = STANDARD.get(id);
    return table === undefined ? [] : [Buffer.from([id]), table];
  });
  if (tables.length === 0) return Buffer.alloc(0);
  const body = Buffer.concat(tables);
  const head = Buffer.from([0xff, 0xc4, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}
