/** Requests of RTSP out of a connection's bytes, and answers to them: RFC 2326. Pure. */

export interface RtspRequest {
  readonly method: string;
  readonly url: string;
  /** Its value, or nothing. */
  header(name: string): string;
}

/** Passes over what a client sends interleaved: its receiver reports. */
export class RequestReader {
  #rest = Buffer.alloc(0);

  push(chunk: Buffer): RtspRequest[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const requests: RtspRequest[] = [];
    for (;;) {
      const taken = this.#next(requests);
      if (taken === 0) return requests;
      this.#rest = this.#rest.subarray(taken);
    }
  }

  /** Bytes of the next request or interleaved frame; 0 when it is not complete. */
  #next(requests: RtspRequest[]): number {
    const data = this.#rest;
    if (data.length < 4) return 0;
    if (data[0] === 0x24) {
      const bytes = 4 + data.readUInt16BE(2);
      return bytes <= data.length ? bytes : 0;
    }
    const end = data.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    const request = readHead(data.toString('latin1', 0, end));
    const bytes = end + 4 + Number(request.header('Content-Length') || '0');
    if (bytes > data.length) return 0;
    requests.push(request);
    return bytes;
  }
}

export function answerTo(
  request: RtspRequest,
  status: string,
  headers: readonly string[] = [],
  body = '',
): string {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [`RTSP/1.0 ${status}`, `CSeq: ${request.header('CSeq')}`, ...headers, ...length];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** A packet as it is sent between the answers: RFC 2326, 10.12. */
export function interleaved(channel: number, packet: Buffer): Buffer {
  const head = Buffer.from([0x24, channel, 0, 0]);
  head.writeUInt16BE(packet.length, 2);
  return Buffer.concat([head, packet]);
}

function readHead(text: string): RtspRequest {
  const [first = '', ...lines] = text.split('\r\n');
  const [method = '', url = ''] = first.split(' ');
  const headers = new Map(
    lines.map((line) => {
      const [name = '', ...value] = line.split(':');
      return [name.trim().toLowerCase(), value.join(':').trim()];
    }),
  );
  return { method, url, header: (name) => headers.get(name.toLowerCase()) ?? '' };
}
