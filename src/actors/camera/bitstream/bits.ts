/** Bits of H.264 and H.265 headers: numbers and Exp-Golomb codes (H.264, 7.2 and 9.1), read and written. Pure. */

const ZEROS = Buffer.from([0, 0]);
const ESCAPE = Buffer.from([3]);
const ESCAPED = Buffer.from([0, 0, 3]);

/** The payload of a NAL unit without its emulation prevention bytes (H.264, 7.4.1.1). */
export function unescape(unit: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = unit.indexOf(ESCAPED); at >= 0; at = unit.indexOf(ESCAPED, from)) {
    parts.push(unit.subarray(from, at + 2));
    from = at + ESCAPED.length;
  }
  return parts.length === 0 ? unit : Buffer.concat([...parts, unit.subarray(from)]);
}

/** The opposite of {@link unescape}. */
export function escape(payload: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = payload.indexOf(ZEROS); at >= 0; at = payload.indexOf(ZEROS, at)) {
    at += ZEROS.length;
    if (at >= payload.length || (payload[at] ?? 0) > 3) continue;
    parts.push(payload.subarray(from, at), ESCAPE);
    from = at;
  }
  return parts.length === 0 ? payload : Buffer.concat([...parts, payload.subarray(from)]);
}

/** The reader passed the end: the header is truncated, or is not a header. */
export class OutOfBits extends Error {}

/** A code with more zeros than this does not fit in 32 bits. */
const MAX_GOLOMB_ZEROS = 31;

export class BitReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  /** Bits read so far. */
  get position(): number {
    return this.#at;
  }

  /** @throws {@link OutOfBits} */
  bit(): number {
    const byte = this.bytes[this.#at >> 3];
    if (byte === undefined) throw new OutOfBits('a header ends too early');
    return (byte >> (7 - (this.#at++ & 7))) & 1;
  }

  flag(): boolean {
    return this.bit() === 1;
  }

  /** An unsigned number of `count` bits, 32 at most. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + this.bit();
    return value;
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** ue(v) */
  unsigned(): number {
    let zeros = 0;
    while (this.bit() === 0) if (++zeros > MAX_GOLOMB_ZEROS) throw new OutOfBits('a number has no end');
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v) */
  signed(): number {
    const code = this.unsigned();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}

/** `count` bits after the first `at`; undefined if there are fewer. */
export function bitsAt(bytes: Buffer, at: number, count: number): number | undefined {
  if (at + count > 8 * bytes.length) return undefined;
  const reader = new BitReader(bytes);
  reader.skip(at);
  return reader.bits(count);
}

export class BitWriter {
  #bits: number[] = [];

  bits(value: number, count: number): this {
    for (let i = count - 1; i >= 0; i--) this.#bits.push(Math.floor(value / 2 ** i) % 2);
    return this;
  }

  flag(value: boolean): this {
    return this.bits(value ? 1 : 0, 1);
  }

  unsigned(value: number): this {
    const length = Math.floor(Math.log2(value + 1));
    return this.bits(0, length).bits(value + 1, length + 1);
  }

  /** The next `count` bits of another header. */
  copy(from: BitReader, count: number): this {
    for (let i = 0; i < count; i++) this.#bits.push(from.bit());
    return this;
  }

  /** Such bits up to a whole byte. */
  fillByte(bit: 0 | 1): this {
    while (this.#bits.length % 8 !== 0) this.#bits.push(bit);
    return this;
  }

  /** With all bits of others from the one at `from` on, and zeros up to a whole byte. */
  followedBy(bytes: Buffer, from: number): Buffer {
    const offset = from - this.#bits.length;
    const all = Buffer.alloc(Math.ceil((8 * bytes.length - offset) / 8));
    for (let i = 0; i < all.length; i++) {
      const at = Math.floor((8 * i + offset) / 8);
      const shift = 8 * i + offset - 8 * at;
      all[i] = ((bytes[at] ?? 0) << shift) | ((bytes[at + 1] ?? 0) >> (8 - shift));
    }
    this.#bits.forEach((bit, i) => {
      const mask = 0x80 >> (i & 7);
      const byte = all[i >> 3] ?? 0;
      all[i >> 3] = bit === 1 ? byte | mask : byte & ~mask;
    });
    return all;
  }

  /** With the stop bit that ends a payload, and zeros up to a whole byte. */
  finish(): Buffer {
    this.#bits.push(1);
    return this.fillByte(0).followedBy(Buffer.alloc(0), 0);
  }
}
