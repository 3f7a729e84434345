/**
 * Splits ffmpeg's output into packets. Two muxers write to one pipe alternately: framecrc a line with a
 * packet's time and exact size, then `data` its bytes, so that no markers need be searched for.
 */
import { Fault } from '../../../fault/fault';
import type { Rotation } from './rotation';

/** One encoded picture, or whatever else ffmpeg was asked to output. */
export interface Packet {
  /** Presentation time, milliseconds; undefined when ffmpeg knows none. */
  readonly pts?: number;
  /** Decoding time, milliseconds: it never decreases; undefined when ffmpeg knows none. */
  readonly dts?: number;
  /** The picture is decodable without others. */
  readonly key: boolean;
  /** ffmpeg's checksum of the bytes, hexadecimal. */
  readonly checksum: string;
  /** Marked by ffmpeg's demuxer as damaged on the way. */
  readonly corrupt: boolean;
  /** ffmpeg knows from the sender's reports when the sender made the packet. */
  readonly hasSenderTime?: true;
  /**
   * Network packets were lost right before this packet: it is damaged, and so are pictures that depend on it.
   */
  readonly lossBefore?: true;
  readonly bytes: Buffer;
}

/** Header lines before the first packet, which describe all that follow. */
export interface StreamHeader {
  /** ffmpeg's name: `h264`, `hevc`, `mjpeg`... */
  readonly codec: string;
  /** Pixels; 0 when unknown. */
  readonly width: number;
  readonly height: number;
  /** Milliseconds of one unit of time. */
  readonly unitMs: number;
  /** From the container's display matrix; undefined if it has none. */
  readonly rotation?: Rotation;
}

/** Uncompressed 8K in 24 bits is 100 MB; no encoded picture is larger. */
export const MAX_PACKET_BYTES = 128 * 1024 * 1024;
/** A framecrc line has about 60 characters. */
const MAX_LINE_BYTES = 1000;
const NEW_LINE = 10;
/** libavutil's AV_NOPTS_VALUE, as JavaScript reads it. */
const NO_PTS = -(2 ** 63);

/** Bits of libavcodec's AV_PKT_FLAG. */
const KEY = 1;
const CORRUPT = 2;

/**
 * Side data of the kind AV_PKT_DATA_PRFT. Newer ffmpegs name it; otherwise its size distinguishes it from
 * other side data of undecoded packets.
 */
const SENDER_TIME = /, S=\d+.*, *(?:Producer Reference Time|16)\b/;

interface PacketLine {
  readonly dts: number;
  readonly pts: number;
  readonly size: number;
  readonly checksum: string;
  readonly flags: number;
  readonly hasSenderTime: boolean;
}

export class PacketSplitter {
  #header: StreamHeader = { codec: '', width: 0, height: 0, unitMs: 1 };
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** The packet whose bytes are awaited. */
  #expected: PacketLine | undefined;

  get header(): StreamHeader {
    return this.#header;
  }

  /**
   * Adds a chunk; returns the packets that are now complete.
   * @throws Fault `bad-capture-output` if the data are not in ffmpeg's format; `picture-too-large`
   */
  push(chunk: Buffer): Packet[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const packets: Packet[] = [];
    for (;;) {
      if (this.#expected === undefined && !this.#readLines()) return packets;
      const packet = this.#readPacket();
      if (packet === undefined) return packets;
      packets.push(packet);
    }
  }

  /** True when the next bytes are a packet's. */
  #readLines(): boolean {
    while (this.#expected === undefined) {
      const all = this.#join();
      const end = all.indexOf(NEW_LINE);
      if (end > MAX_LINE_BYTES || (end < 0 && all.length > MAX_LINE_BYTES)) throw notUnderstood(all);
      if (end < 0) return false;
      const line = this.#take(end + 1);
      if (line[0] === 0x23) this.#readHeader(line.toString('latin1'));
      else this.#expected = readPacketLine(line);
    }
    return true;
  }

  #readHeader(line: string): void {
    const [, name, value = ''] = /^#([a-z_]+) 0: (.*)\n$/.exec(line) ?? [];
    const [first = 0, second = 0] = value.split(/[x/]/).map(Number);
    if (name === 'tb' && first > 0 && second > 0)
      this.#header = { ...this.#header, unitMs: (1000 * first) / second };
    if (name === 'codec_id') this.#header = { ...this.#header, codec: value };
    if (name === 'dimensions') this.#header = { ...this.#header, width: first, height: second };
  }

  #readPacket(): Packet | undefined {
    const expected = this.#expected;
    if (expected === undefined || this.#buffered < expected.size) return undefined;
    this.#expected = undefined;
    const { size, dts, pts, checksum, flags, hasSenderTime } = expected;
    const { unitMs } = this.#header;
    const bytes = this.#take(size);
    const time = {
      ...(dts === NO_PTS ? {} : { dts: dts * unitMs }),
      ...(pts === NO_PTS ? {} : { pts: pts * unitMs }),
    };
    const sender = hasSenderTime ? ({ hasSenderTime } as const) : {};
    return {
      ...time,
      ...sender,
      key: (flags & KEY) !== 0,
      corrupt: (flags & CORRUPT) !== 0,
      checksum,
      bytes,
    };
  }

  /** The next `size` bytes, which must have arrived. */
  #take(size: number): Buffer {
    const all = this.#join();
    const rest = all.subarray(size);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#buffered = rest.length;
    return all.subarray(0, size);
  }

  #join(): Buffer {
    const [only] = this.#chunks;
    const all = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}

/** `stream, dts, pts, duration, size, checksum[, flags]` */
function readPacketLine(line: Buffer): PacketLine {
  const text = line.toString('latin1');
  const fields = /^0,\s*(-?\d+),\s*(-?\d+),\s*\d+,\s*(\d+), 0x([0-9a-f]+)/.exec(text);
  const size = Number(fields?.[3] ?? 0);
  if (size === 0) throw notUnderstood(line);
  if (size > MAX_PACKET_BYTES)
    throw new Fault('picture-too-large', `a picture of ${size} bytes (limit: ${MAX_PACKET_BYTES})`);
  // framecrc writes the flags only if they are not exactly "key".
  const flags = /, F=0x([0-9A-F]+)\b/.exec(text)?.[1];
  const checksum = fields?.[4] ?? '';
  return {
    dts: Number(fields?.[1]),
    pts: Number(fields?.[2]),
    ...{ size, checksum, flags: flags === undefined ? KEY : parseInt(flags, 16) },
    hasSenderTime: SENDER_TIME.test(text),
  };
}

function notUnderstood(line: Buffer): Fault {
  const start = line
    .toString('latin1', 0, 80)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
  return new Fault('bad-capture-output', `ffmpeg wrote a line that was not understood: ${start}`);
}
