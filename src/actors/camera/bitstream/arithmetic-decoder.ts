/** The arithmetic decoder of H.264 and H.265 (H.265, 9.3.4.3), and where in its bytes it ends. Pure. */

/** Range of the less probable symbol, by state and by the upper bits of the range (table 9-52). */
const LPS_RANGES = Uint8Array.of(
  ...[128, 176, 208, 240, 128, 167, 197, 227, 128, 158, 187, 216, 123, 150, 178, 205, 116, 142, 169, 195],
  ...[111, 135, 160, 185, 105, 128, 152, 175, 100, 122, 144, 166, 95, 116, 137, 158, 90, 110, 130, 150],
  ...[85, 104, 123, 142, 81, 99, 117, 135, 77, 94, 111, 128, 73, 89, 105, 122, 69, 85, 100, 116],
  ...[66, 80, 95, 110, 62, 76, 90, 104, 59, 72, 86, 99, 56, 69, 81, 94, 53, 65, 77, 89],
  ...[51, 62, 73, 85, 48, 59, 69, 80, 46, 56, 66, 76, 43, 53, 63, 72, 41, 50, 59, 69],
  ...[39, 48, 56, 65, 37, 45, 54, 62, 35, 43, 51, 59, 33, 41, 48, 56, 32, 39, 46, 53],
  ...[30, 37, 43, 50, 29, 35, 41, 48, 27, 33, 39, 45, 26, 31, 37, 43, 24, 30, 35, 41],
  ...[23, 28, 33, 39, 22, 27, 32, 37, 21, 26, 30, 35, 20, 24, 29, 33, 19, 23, 27, 31],
  ...[18, 22, 26, 30, 17, 21, 25, 28, 16, 20, 23, 27, 15, 19, 22, 25, 14, 18, 21, 24],
  ...[14, 17, 20, 23, 13, 16, 19, 22, 12, 15, 18, 21, 12, 14, 17, 20, 11, 14, 16, 19],
  ...[11, 13, 15, 18, 10, 12, 15, 17, 10, 12, 14, 16, 9, 11, 13, 15, 9, 11, 12, 14],
  ...[8, 10, 12, 14, 8, 9, 11, 13, 7, 9, 11, 12, 7, 9, 10, 12, 7, 8, 10, 11],
  ...[6, 8, 9, 11, 6, 7, 9, 10, 6, 7, 8, 9, 2, 2, 2, 2],
);
/** State after a less probable symbol (table 9-53). */
const BEHIND_LPS = [
  ...[0, 0, 1, 2, 2, 4, 4, 5, 6, 7, 8, 9, 9, 11, 11, 12, 13, 13, 15, 15, 16, 16, 18, 18, 19, 19, 21, 21],
  ...[22, 22, 23, 24, 24, 25, 26, 26, 27, 27, 28, 29, 29, 30, 30, 30, 31, 32, 32, 33, 33, 33, 34, 34, 35],
  ...[35, 35, 36, 36, 36, 37, 37, 37, 38, 38, 63],
];
/** Indexed by twice the state plus the more probable symbol: the same sum after either symbol. */
const NEXT_MPS = Uint8Array.from({ length: 128 }, (_, each) => (each >= 124 ? each : each + 2));
const NEXT_LPS = Uint8Array.from({ length: 128 }, (_, each) => {
  const symbol = each < 2 ? 1 - (each & 1) : each & 1;
  return 2 * (BEHIND_LPS[each >> 1] ?? 0) + symbol;
});
const MOST_STATE = 62;
/** A number whose prefix is longer does not fit in 31 bits. */
const MAX_PREFIX = 30;

/** An impossible value was read: the data are damaged. */
export class LostPlace extends Error {}

export class ArithmeticDecoder {
  /** Twice the state, plus the more probable symbol, of each context. */
  states: Uint8Array;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #range = 0;
  /** The standard's offset, with 7 bits that it has not read yet. */
  #value = 0;
  /** Number of those bits that are missing, minus 8. */
  #missing = 0;

  constructor(contexts: number) {
    this.states = new Uint8Array(contexts);
  }

  /** Bytes it has read. */
  get position(): number {
    return this.#at;
  }

  /** (9.3.2.6) */
  begin(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#range = 510;
    this.#value = (this.#next() << 8) | this.#next();
    this.#missing = -8;
  }

  /** @param values as the standard's tables have them @param quantiser of the slice (9.3.2.2) */
  initialise(values: Uint8Array, quantiser: number): void {
    const qp = Math.min(51, Math.max(0, quantiser));
    for (const [i, value] of values.entries()) {
      const slope = (value >> 4) * 5 - 45;
      const offset = ((value & 15) << 3) - 16;
      const state = Math.min(126, Math.max(1, ((slope * qp) >> 4) + offset));
      this.states[i] = state <= 63 ? 2 * (63 - state) : 2 * Math.min(MOST_STATE, state - 64) + 1;
    }
  }

  /** Decodes a symbol with its context. */
  bin(context: number): number {
    const state = this.states[context] ?? 0;
    const lps = LPS_RANGES[((state >> 1) << 2) | ((this.#range >> 6) & 3)] ?? 0;
    const mps = this.#range - lps;
    const scaled = mps << 7;
    if (this.#value < scaled) {
      this.states[context] = NEXT_MPS[state] ?? 0;
      if (mps >= 256) this.#range = mps;
      else {
        this.#range = mps << 1;
        this.#value <<= 1;
        if (++this.#missing === 0) this.#fill();
      }
      return state & 1;
    }
    const shift = Math.clz32(lps) - 23;
    this.states[context] = NEXT_LPS[state] ?? 0;
    this.#value = (this.#value - scaled) << shift;
    this.#range = lps << shift;
    this.#missing += shift;
    if (this.#missing >= 0) this.#fill();
    return (state & 1) ^ 1;
  }

  /**
   * `count` symbols in one call, at most 31: the one numbered n by the context `first` plus `contexts[n]`, numbered down to 1. Takes two thirds
   * of the time of the same number of calls of {@link bin}.
   * @returns symbol n in bit n
   */
  bins(first: number, contexts: Uint8Array, count: number): number {
    const { states } = this;
    const bytes = this.#bytes;
    let at = this.#at;
    let range = this.#range;
    let value = this.#value;
    let missing = this.#missing;
    let symbols = 0;
    for (let n = count; n > 0; n--) {
      const context = first + (contexts[n] ?? 0);
      const state = states[context] ?? 0;
      const lps = LPS_RANGES[((state >> 1) << 2) | ((range >> 6) & 3)] ?? 0;
      range -= lps;
      const scaled = range << 7;
      if (value < scaled) {
        states[context] = NEXT_MPS[state] ?? 0;
        symbols |= (state & 1) << n;
        if (range >= 256) continue;
        range <<= 1;
        value <<= 1;
        missing++;
      } else {
        const shift = Math.clz32(lps) - 23;
        states[context] = NEXT_LPS[state] ?? 0;
        symbols |= ((state & 1) ^ 1) << n;
        value = (value - scaled) << shift;
        range = lps << shift;
        missing += shift;
      }
      if (missing < 0) continue;
      if (at < bytes.length) value |= (bytes[at] ?? 0) << missing;
      at++;
      missing -= 8;
    }
    this.#at = at;
    this.#range = range;
    this.#value = value;
    this.#missing = missing;
    return symbols;
  }

  /** Decodes an equiprobable symbol. */
  bypass(): number {
    this.#value <<= 1;
    if (++this.#missing === 0) this.#fill();
    const scaled = this.#range << 7;
    if (this.#value < scaled) return 0;
    this.#value -= scaled;
    return 1;
  }

  /** A number of `count` equiprobable bits, at most 31. */
  bypasses(count: number): number {
    let value = 0;
    let left = count;
    for (; left > 8; left -= 8) value = (value << 8) | this.#few(8);
    return (value << left) | this.#few(left);
  }

  /** An Exp-Golomb code of that order (9.3.3.3). @throws LostPlace if it does not end */
  golomb(order: number): number {
    let value = 0;
    let bits = order;
    while (this.bypass() === 1) {
      value += 1 << bits++;
      if (bits > MAX_PREFIX) throw new LostPlace('a number has no end');
    }
    return value + this.bypasses(bits);
  }

  /** How many consecutive symbols are 1, at most `most`. */
  ones(most: number): number {
    let count = 0;
    while (count < most && this.bypass() === 1) count++;
    return count;
  }

  /** Decodes a symbol that ends something, such as a slice segment (9.3.4.3.5). */
  terminates(): boolean {
    this.#range -= 2;
    const scaled = this.#range << 7;
    if (this.#value >= scaled) return true;
    if (this.#range < 256) {
      this.#range <<= 1;
      this.#value <<= 1;
      if (++this.#missing === 0) this.#fill();
    }
    return false;
  }

  /** After a symbol that ends something: true if the last bit read is a one, and only zeros fill the rest of its byte. */
  get isAligned(): boolean {
    return (((this.#bytes[this.#at - 1] ?? 0) << (this.#missing + 8)) & 0xff) === 0x80;
  }

  /** Skips `bytes` bytes and starts again. */
  skip(bytes: number): void {
    this.begin(this.#bytes, this.#at + bytes);
  }

  #few(count: number): number {
    this.#value <<= count;
    this.#missing += count;
    if (this.#missing >= 0) this.#fill();
    const scaled = this.#range << 7;
    const value = (this.#value / scaled) | 0;
    this.#value -= value * scaled;
    return value;
  }

  #fill(): void {
    this.#value |= this.#next() << this.#missing;
    this.#missing -= 8;
  }

  /** After the end, zeros are read. */
  #next(): number {
    const at = this.#at++;
    return at < this.#bytes.length ? (this.#bytes[at] ?? 0) : 0;
  }
}
