/**
 * Reads the `prft` boxes (ISO/IEC 14496-12, 8.16.5) of a fragmented MP4 written by ffmpeg: the time of the sender's clock
 * when a packet was made. Everything else is skipped unread, and data that are not an MP4 yield nothing. Pure, never throws.
 */

/** One packet's time on the sender's clock. */
export interface ProducerTime {
  /** NTP seconds modulo 2^32: they wrap around in 2036. */
  readonly ntpSeconds: number;
  /** The packet's time, in units of its track. */
  readonly mediaTime: number;
}

const HEADER_BYTES = 8;
/** Version 1 with its header: flags, track, NTP time and 64 bits of media time. */
const PRFT_BYTES = 32;
const FRACTION = 2 ** 32;

export class PrftReader {
  /** The beginning of the box that is being read: never more than one `prft`. */
  #head = Buffer.alloc(0);
  /** Remaining bytes of a box that is skipped. */
  #skip = 0;
  /** The data are not an MP4, or have boxes of another form: the start of the next box is not known. */
  #lost = false;

  /** Adds a chunk; returns the times that are now complete. */
  push(chunk: Buffer): ProducerTime[] {
    const times: ProducerTime[] = [];
    for (let at = 0; at < chunk.length && !this.#lost;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      const needed = this.#needed() - this.#head.length;
      this.#head = Buffer.concat([this.#head, chunk.subarray(at, at + needed)]);
      at += needed;
      if (this.#head.length < this.#needed()) continue;
      const time = this.#finishBox();
      if (time !== undefined) times.push(time);
    }
    return times;
  }

  /** Bytes of this box that are read. */
  #needed(): number {
    return this.#head.length >= HEADER_BYTES && isPrft(this.#head) ? PRFT_BYTES : HEADER_BYTES;
  }

  #finishBox(): ProducerTime | undefined {
    const box = this.#head;
    const size = box.readUInt32BE(0);
    this.#head = Buffer.alloc(0);
    this.#skip = size - box.length;
    // 0 and 1 announce sizes of another form, which ffmpeg never writes for a box this small.
    this.#lost = size < HEADER_BYTES;
    return isPrft(box) && box.length === PRFT_BYTES ? readPrft(box) : undefined;
  }
}

function isPrft(head: Buffer): boolean {
  return head.toString('latin1', 4, 8) === 'prft' && head.readUInt32BE(0) === PRFT_BYTES;
}

function readPrft(box: Buffer): ProducerTime | undefined {
  if (box[8] !== 1) return undefined;
  return {
    ntpSeconds: box.readUInt32BE(16) + box.readUInt32BE(20) / FRACTION,
    mediaTime: Number(box.readBigInt64BE(24)),
  };
}
