/** Loads whole segments: fetches and decrypts them, with their initialization section. */
import { createDecipheriv } from 'node:crypto';
import { sleep } from '../../../clock/sleep';
import { MAX_RECEIVED_BYTES } from '../ffmpeg/invocation';
import type { HlsClient } from './client';
import { FetchError } from './fetch-error';
import type { Resource, Segment, SegmentKey } from './playlist';

const KEY_BYTES = 16;
const MAX_MAP_BYTES = 1024 * 1024;
/** Number of attempts, with pauses, for a segment that fails for a transient reason. */
const ATTEMPTS = 3;
const PAUSE_MS = 300;

export interface LoadedSegment {
  /** Initialization section of fragmented MP4; empty for MPEG-TS. */
  readonly head: Buffer;
  readonly bytes: Buffer;
}

export class SegmentLoader {
  /** The newest key and initialization section: each serves many segments. */
  #key: { readonly url: string; readonly bytes: Buffer } | undefined;
  #head: { readonly name: string; readonly bytes: Buffer } | undefined;

  /** @param silenceMs how long a server may be silent */
  constructor(
    private readonly client: HlsClient,
    private readonly silenceMs: number,
  ) {}

  /** @throws FetchError if the segment cannot be fetched or decrypted */
  async load(segment: Segment, signal: AbortSignal): Promise<LoadedSegment> {
    for (let attempt = 1; ; attempt++) {
      try {
        return {
          head: await this.#headOf(segment, signal),
          bytes: await this.#decrypted(segment, segment, MAX_RECEIVED_BYTES, signal),
        };
      } catch (error) {
        if (!(error instanceof FetchError) || error.isFinal || attempt === ATTEMPTS || signal.aborted)
          throw error;
        // The kept key may have changed by now.
        if (error.code === 'bad-key') this.#key = undefined;
        await sleep(PAUSE_MS, signal);
      }
    }
  }

  async #headOf({ map, sequence }: Segment, signal: AbortSignal): Promise<Buffer> {
    if (map === undefined) return Buffer.alloc(0);
    const name = `${map.url} ${map.range?.offset ?? 0}`;
    if (this.#head?.name !== name)
      this.#head = { name, bytes: await this.#decrypted(map, { ...map, sequence }, MAX_MAP_BYTES, signal) };
    return this.#head.bytes;
  }

  async #decrypted(
    resource: Resource,
    { key, sequence }: Pick<Segment, 'key' | 'sequence'>,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<Buffer> {
    if (key !== undefined && key.method !== 'AES-128')
      throw new FetchError('encrypted', `encrypted by ${key.method.slice(0, 20)}`);
    const secret = key === undefined ? undefined : await this.#keyOf(key, signal);
    const { bytes } = await this.client.fetch(resource, { maxBytes, silenceMs: this.silenceMs, signal });
    if (bytes.length === 0) throw new FetchError('empty', 'answers with nothing');
    return key === undefined || secret === undefined
      ? bytes
      : decrypt(bytes, secret, key.iv ?? vectorOf(sequence));
  }

  async #keyOf({ url }: SegmentKey, signal: AbortSignal): Promise<Buffer> {
    if (this.#key?.url === url) return this.#key.bytes;
    const { bytes } = await this.client.fetch(
      { url },
      { maxBytes: KEY_BYTES, silenceMs: this.silenceMs, signal },
    );
    if (bytes.length !== KEY_BYTES) throw new FetchError('bad-key', 'gives a key that is none');
    this.#key = { url, bytes };
    return bytes;
  }
}

/** The initialization vector derived from the sequence number (RFC 8216, 5.2). */
function vectorOf(sequence: number): Buffer {
  const vector = Buffer.alloc(KEY_BYTES);
  vector.writeBigUInt64BE(BigInt(sequence), KEY_BYTES - 8);
  return vector;
}

function decrypt(bytes: Buffer, key: Buffer, iv: Buffer): Buffer {
  try {
    const cipher = createDecipheriv('aes-128-cbc', key, iv);
    return Buffer.concat([cipher.update(bytes), cipher.final()]);
  } catch {
    throw new FetchError('bad-key', 'gives a key that does not fit');
  }
}
