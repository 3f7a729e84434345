/**
 * Follows the markers of a JPEG to its end as its bytes arrive; decodes nothing. ITU-T T.81, annex B. The meaning of an end
 * marker depends on its position: a thumbnail inside a segment has one of its own.
 */

/** `end`: the picture ends before `length`. `cut`: another begins there, and this one had not ended. `none`: it is not a JPEG. */
export type ScanResult =
  { readonly kind: 'more' | 'none' } | { readonly kind: 'end' | 'cut'; readonly length: number };

/** One table of Huffman codes: 0 for DC and 1 for AC in the upper four bits, its number in the lower. */
export type TableId = number;

const MORE: ScanResult = { kind: 'more' };
const NONE: ScanResult = { kind: 'none' };
const PICTURE_START = Buffer.from([0xff, 0xd8, 0xff]);
const FILL = 0xff;
const START = 0xd8;
const END = 0xd9;
const SCAN = 0xda;
const HUFFMAN_TABLES = 0xc4;
/** Sequential DCT with Huffman codes: baseline and extended. */
const SEQUENTIAL: ReadonlySet<number> = new Set([0xc0, 0xc1]);

export class JpegScan {
  /** Pixels; undefined until the frame header came. */
  #size: { readonly width: number; readonly height: number } | undefined;
  #isSequential = false;
  /** Where the first scan's header begins; undefined until it came. */
  #firstScanAt: number | undefined;
  readonly #defined = new Set<TableId>();
  readonly #missing = new Set<TableId>();
  /** All bytes before this offset have been read. */
  #at = 2;
  /** Among the codes of a scan, not among segments. */
  #inCodes = false;

  get size(): { readonly width: number; readonly height: number } | undefined {
    return this.#size;
  }

  get firstScanAt(): number | undefined {
    return this.#firstScanAt;
  }

  /** Tables that sequential scans refer to and that were not defined: the standard ones are meant (T.81, K.3). */
  get missingTables(): readonly TableId[] {
    return this.#isSequential ? [...this.#missing].sort((a, b) => a - b) : [];
  }

  /** @param bytes the picture from its start marker on, and what may follow; the same and more with every call */
  advance(bytes: Buffer): ScanResult {
    if (bytes.length >= 2 && (bytes[0] !== 0xff || bytes[1] !== START)) return NONE;
    for (;;) {
      const found = bytes.indexOf(0xff, this.#at);
      this.#at = found < 0 ? bytes.length : found;
      if (this.#at + 2 > bytes.length) return MORE;
      const marker = bytes[this.#at + 1] ?? 0;
      if (marker === END)
        return this.#firstScanAt === undefined ? NONE : { kind: 'end', length: this.#at + 2 };
      if (marker === START) return { kind: 'cut', length: this.#at };
      // Any number of 0xFF may stand before a marker.
      if (marker === FILL) this.#at++;
      else if (!isSegment(marker) || (this.#inCodes && !mayFollowCodes(marker))) this.#at += 2;
      else {
        const end = this.#segmentEnd(bytes);
        if (end > bytes.length) return MORE;
        const cut = startInTables(bytes, marker, this.#at, end);
        if (cut !== undefined) return { kind: 'cut', length: cut };
        this.#readSegment(bytes.subarray(this.#at + 4, end), marker);
        this.#at = end;
      }
    }
  }

  /** Infinity until its length has arrived. */
  #segmentEnd(bytes: Buffer): number {
    return this.#at + 4 > bytes.length
      ? Infinity
      : this.#at + 2 + Math.max(2, bytes.readUInt16BE(this.#at + 2));
  }

  #readSegment(body: Buffer, marker: number): void {
    if (isFrameHeader(marker) && body.length >= 5) {
      this.#size = { height: body.readUInt16BE(1), width: body.readUInt16BE(3) };
      this.#isSequential = SEQUENTIAL.has(marker);
    }
    if (marker === HUFFMAN_TABLES) this.#define(body);
    if (marker === SCAN) this.#beginScan(this.#at, body);
    this.#inCodes = marker === SCAN;
  }

  #beginScan(at: number, body: Buffer): void {
    this.#firstScanAt ??= at;
    const components = body[0] ?? 0;
    for (let i = 0; i < components; i++) {
      const tables = body[2 + 2 * i] ?? 0;
      for (const id of [tables >> 4, 0x10 | (tables & 15)]) if (!this.#defined.has(id)) this.#missing.add(id);
    }
  }

  #define(body: Buffer): void {
    for (let at = 0; at + 17 <= body.length;) {
      this.#defined.add(body[at] ?? 0);
      let codes = 0;
      for (let i = 1; i <= 16; i++) codes += body[at + i] ?? 0;
      at += 17 + codes;
    }
  }
}

/** Where another picture begins inside tables: this one was cut among them. What applications add may hold pictures. */
function startInTables(bytes: Buffer, marker: number, from: number, to: number): number | undefined {
  if (marker >= 0xe0) return undefined;
  const at = bytes.subarray(from, to).indexOf(PICTURE_START);
  return at < 0 ? undefined : from + at;
}

/** A marker followed by a length: neither a stuffed or reserved byte nor a standalone marker. */
function isSegment(marker: number): boolean {
  return marker >= 0xc0 && !(marker >= 0xd0 && marker <= 0xd7);
}

/** Tables, another scan, and the number of lines; frame headers and what applications add stand before the first scan. */
function mayFollowCodes(marker: number): boolean {
  return (
    marker === HUFFMAN_TABLES || (marker >= SCAN && marker <= 0xdd) || marker === 0xcc || marker === 0xfe
  );
}

/** SOF0 to SOF15, without the tables that have numbers among theirs. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== HUFFMAN_TABLES && marker !== 0xc8 && marker !== 0xcc;
}
