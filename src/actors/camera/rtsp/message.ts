/** Splits a byte stream into RTSP messages (RFC 2326) and the interleaved media between them. Pure. */

/** A camera's answer has some 2 KB; what exceeds these limits is not an answer. */
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_BODY_BYTES = 1024 * 1024;
const END_OF_HEAD = '\r\n\r\n';
/** Each piece of interleaved media begins with a dollar sign, the channel, and 16 bits of length. */
const DOLLAR = 0x24;
const MEDIA_HEAD_BYTES = 4;

export interface RtspMessage {
  readonly kind: 'message';
  /** `RTSP/1.0 200 OK` of an answer, `DESCRIBE rtsp://... RTSP/1.0` of a request. */
  readonly firstLine: string;
  /** In order, with names in lower case; a name may occur several times. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly bytes: Buffer;
}

/** Media, whole or in part, to be passed on unchanged. */
export interface RtspMedia {
  readonly kind: 'media';
  readonly bytes: Buffer;
}

/** An RTSP message has no end, or is larger than any camera's. */
export class RtspTooLarge extends Error {
  constructor() {
    super(`an RTSP message of more than ${MAX_HEAD_BYTES / 1024} KiB`);
  }
}

export class RtspSplitter {
  #rest = Buffer.alloc(0);
  /** Bytes of a piece of media that are still to come. */
  #mediaLeft = 0;

  /** @throws {@link RtspTooLarge} */
  push(chunk: Buffer): (RtspMessage | RtspMedia)[] {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const found: (RtspMessage | RtspMedia)[] = [];
    while (bytes.length > 0) {
      const mediaBytes = this.#mediaIn(bytes);
      if (mediaBytes > 0) found.push({ kind: 'media', bytes: bytes.subarray(0, mediaBytes) });
      bytes = bytes.subarray(mediaBytes);
      const message = this.#mediaLeft > 0 || bytes[0] === DOLLAR ? undefined : readMessage(bytes);
      if (message === undefined) break;
      found.push(message);
      bytes = bytes.subarray(message.bytes.length);
    }
    this.#rest = Buffer.from(bytes);
    return found;
  }

  /**
   * Length of the media at the beginning of `bytes`: all consecutive pieces, the last of which may be
   * incomplete.
   */
  #mediaIn(bytes: Buffer): number {
    let at = 0;
    for (;;) {
      const part = Math.min(this.#mediaLeft, bytes.length - at);
      at += part;
      this.#mediaLeft -= part;
      if (this.#mediaLeft > 0 || bytes[at] !== DOLLAR || bytes.length - at < MEDIA_HEAD_BYTES) return at;
      this.#mediaLeft = MEDIA_HEAD_BYTES + bytes.readUInt16BE(at + 2);
    }
  }
}

function readMessage(bytes: Buffer): RtspMessage | undefined {
  const end = bytes.indexOf(END_OF_HEAD);
  if (end > MAX_HEAD_BYTES || (end < 0 && bytes.length > MAX_HEAD_BYTES)) throw new RtspTooLarge();
  if (end < 0) return undefined;
  const [firstLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const bodyAt = end + END_OF_HEAD.length;
  const bodyBytes = Number(headerOf({ headers }, 'content-length') ?? 0) || 0;
  if (bodyBytes < 0 || bodyBytes > MAX_BODY_BYTES) throw new RtspTooLarge();
  if (bytes.length < bodyAt + bodyBytes) return undefined;
  const body = bytes.toString('latin1', bodyAt, bodyAt + bodyBytes);
  return { kind: 'message', firstLine, headers, body, bytes: bytes.subarray(0, bodyAt + bodyBytes) };
}

/** The first header of that name. @param name in lower case */
export function headerOf({ headers }: Pick<RtspMessage, 'headers'>, name: string): string | undefined {
  return headers.find(([each]) => each === name)?.[1];
}

/** Status of an answer; undefined for a request. */
export function statusOf({ firstLine }: Pick<RtspMessage, 'firstLine'>): number | undefined {
  const status = /^RTSP\/\d\.\d +(\d{3})/.exec(firstLine)?.[1];
  return status === undefined ? undefined : Number(status);
}
