/** An RTSP camera with the habits of real ones, for tests: other tracks, passwords, slow answers, redirections, lost packets. */
import { createHash } from 'node:crypto';
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { parameterSets, pictures, rtpPackets } from './rtp';

export type DigestName = 'MD5' | 'SHA-256';

export interface FakeCameraOptions {
  /** H.264 made by `clip()`. */
  readonly clip: string;
  readonly fps: number;
  /** Where sound is described; `early` runs 300 ms before the first picture. A status refuses its SETUP. */
  readonly audio?: 'first' | 'second' | 'early' | { readonly refused: string };
  /** An ONVIF metadata track, described first. */
  readonly metadata?: boolean;
  /** A second video track; a status refuses its SETUP. */
  readonly secondVideo?: { readonly refused?: string };
  /** The description names no parameter sets. */
  readonly withoutParameters?: boolean;
  /** Number of the picture each client begins with. */
  readonly firstPicture?: number;
  /** What is offered, in this order; user `admin`, password `secret`. */
  readonly digest?: readonly DigestName[];
  readonly describeDelayMs?: number;
  readonly playDelayMs?: number;
  /** Answers a request by its path; undefined answers with the stream. */
  readonly redirect?: (path: string, self: string) => string | undefined;
  /** Over UDP every so-manieth packet is lost. */
  readonly loseEvery?: number;
}

export interface FakeCamera {
  readonly port: number;
  url(path?: string, userinfo?: string): string;
  /** First lines of the requests that came. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

const SESSION = 'Session: 12345678';
const REALM = 'cam';
const NONCE = 'abc';

export async function startFakeCamera(options: FakeCameraOptions): Promise<FakeCamera> {
  const clip = pictures(await readFile(options.clip));
  const requests: string[] = [];
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    const client = new Client(socket, options, clip, (line) => requests.push(line));
    socket
      .on('error', () => undefined)
      .on('close', () => {
        clients.delete(socket);
        client.end();
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    requests,
    url: (path = '/a', userinfo) =>
      `rtsp://${userinfo === undefined ? '' : `${userinfo}@`}127.0.0.1:${port}${path}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of clients) client.destroy();
      }),
  };
}

type Send = (bytes: Buffer) => void;

class Client {
  #received = '';
  #video: Send | undefined;
  #sound: Send | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #datagrams: Datagrams[] = [];
  #sentOverUdp = 0;

  constructor(
    private readonly socket: Socket,
    private readonly options: FakeCameraOptions,
    private readonly clip: readonly Buffer[][],
    private readonly onRequest: (line: string) => void,
  ) {
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1');
      for (;;) {
        // Receiver reports come between the requests.
        if (this.#received.startsWith('$')) {
          const length = 4 + (this.#received.charCodeAt(2) << 8) + this.#received.charCodeAt(3);
          if (this.#received.length < length) return;
          this.#received = this.#received.slice(length);
          continue;
        }
        const end = this.#received.indexOf('\r\n\r\n');
        if (end < 0) return;
        const request = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + 4);
        this.#answer(request);
      }
    });
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#datagrams) socket.close();
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.socket.destroyed) act();
    }, ms);
    this.#timers.add(timer);
  }

  #reply(request: string, status: string, headers: readonly string[] = [], body = ''): void {
    const sequence = /CSeq: *(\d+)/i.exec(request)?.[1] ?? '0';
    const length = body === '' ? [] : [`Content-Length: ${body.length}`];
    const head = [`RTSP/1.0 ${status}`, `CSeq: ${sequence}`, ...headers, ...length];
    this.socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  }

  #answer(request: string): void {
    const [method = '', uri = ''] = request.split(' ');
    this.onRequest(`${method} ${uri}`);
    const { digest = [], redirect, describeDelayMs = 0, playDelayMs = 0 } = this.options;
    if (method === 'OPTIONS') {
      this.#reply(request, '200 OK', ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN']);
      return;
    }
    if (digest.length > 0 && !isAuthorized(request, method, digest)) {
      this.#reply(request, '401 Unauthorized', digest.map(challenge));
      return;
    }
    switch (method) {
      case 'DESCRIBE':
        this.#later(describeDelayMs, () => {
          const [, self = '', path = ''] = /^(rtsp:\/\/[^/]+)(.*)$/.exec(uri) ?? [];
          const location = redirect?.(path, self);
          if (location !== undefined) this.#reply(request, '302 Moved', [`Location: ${location}`]);
          else
            this.#reply(
              request,
              '200 OK',
              [`Content-Base: ${uri}/`, 'Content-Type: application/sdp'],
              this.#describe(),
            );
        });
        return;
      case 'SETUP':
        this.#setUp(request, uri);
        return;
      case 'PLAY':
        this.#reply(request, '200 OK', [SESSION]);
        this.#later(playDelayMs, () => this.#play());
        return;
      default:
        this.#reply(request, '200 OK', [SESSION]);
    }
  }

  #describe(): string {
    const { audio, metadata = false, secondVideo, withoutParameters = false } = this.options;
    const sets = parameterSets(this.clip).map((set) => set.toString('base64'));
    const sprop = withoutParameters ? '' : `;sprop-parameter-sets=${sets.join(',')}`;
    const video = (control: string) => [
      ...['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000'],
      ...[`a=fmtp:96 packetization-mode=1${sprop}`, `a=control:${control}`],
    ];
    const sound = ['m=audio 0 RTP/AVP 8', 'a=rtpmap:8 PCMA/8000', 'a=control:sound'];
    const onvif = ['m=application 0 RTP/AVP 107', 'a=rtpmap:107 vnd.onvif.metadata/90000', 'a=control:data'];
    return [
      ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=camera', 't=0 0', 'a=control:*'],
      ...(metadata ? onvif : []),
      ...(audio === 'first' ? sound : []),
      ...video('video'),
      ...(audio === undefined || audio === 'first' ? [] : sound),
      ...(secondVideo === undefined ? [] : video('other')),
      '',
    ].join('\r\n');
  }

  #setUp(request: string, uri: string): void {
    const { audio, secondVideo } = this.options;
    const track = uri.slice(uri.lastIndexOf('/') + 1);
    const refused =
      (track === 'sound' && typeof audio === 'object' ? audio.refused : undefined) ??
      (track === 'other' ? secondVideo?.refused : undefined);
    if (refused !== undefined) {
      this.#reply(request, refused);
      return;
    }
    const channel = Number(/interleaved=(\d+)/.exec(request)?.[1] ?? -1);
    const port = Number(/client_port=(\d+)/.exec(request)?.[1] ?? 0);
    const transport =
      channel >= 0
        ? `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`
        : `RTP/AVP;unicast;client_port=${port}-${port + 1};server_port=8-9`;
    const send = channel >= 0 ? this.#interleaved(channel) : this.#overUdp(port);
    if (track === 'video') this.#video = send;
    if (track === 'sound') this.#sound = send;
    this.#reply(request, '200 OK', [SESSION, `Transport: ${transport}`]);
  }

  #interleaved(channel: number): Send {
    return (bytes) => {
      const head = Buffer.from([0x24, channel, bytes.length >> 8, bytes.length & 255]);
      this.socket.write(Buffer.concat([head, bytes]));
    };
  }

  #overUdp(port: number): Send {
    const socket = createSocket('udp4');
    this.#datagrams.push(socket);
    const { loseEvery = Infinity } = this.options;
    return (bytes) => {
      if (++this.#sentOverUdp % loseEvery !== 0) socket.send(bytes, port, '127.0.0.1');
    };
  }

  #play(): void {
    const { fps, audio, firstPicture = 0 } = this.options;
    const startedMs = performance.now();
    let [sequence, sounds] = [1, 0];
    const picture = (number: number) => {
      const units = this.clip[(firstPicture + number) % this.clip.length] ?? [];
      for (const packet of rtpPackets(units, { sequence, timestamp: Math.round((number * 90_000) / fps) })) {
        this.#video?.(packet);
        sequence++;
      }
      this.#later(Math.max(0, startedMs + ((number + 1) * 1000) / fps - performance.now()), () =>
        picture(number + 1),
      );
    };
    const tone = () => {
      const head = Buffer.from([0x80, 8, sounds >> 8, sounds & 255, 0, 0, 0, 0, 0, 0, 0, 9]);
      head.writeUInt32BE(sounds++ * 160, 4);
      this.#sound?.(Buffer.concat([head, Buffer.alloc(160, 0xd5)]));
      this.#later(20, tone);
    };
    if (this.#sound !== undefined) tone();
    this.#later(audio === 'early' ? 300 : 0, () => picture(0));
  }
}

function challenge(algorithm: DigestName): string {
  return `WWW-Authenticate: Digest realm="${REALM}", nonce="${NONCE}", algorithm="${algorithm}"`;
}

/** By RFC 2069, whose answers need no counter. */
function isAuthorized(request: string, method: string, offered: readonly DigestName[]): boolean {
  const header = /^Authorization: Digest (.*)$/im.exec(request)?.[1] ?? '';
  const field = (name: string) => new RegExp(`\\b${name}="?([^",]*)"?`).exec(header)?.[1] ?? '';
  const algorithm = field('algorithm').toUpperCase() === 'SHA-256' ? 'SHA-256' : 'MD5';
  const hash = (text: string) =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const expected = hash(`${hash(`admin:${REALM}:secret`)}:${NONCE}:${hash(`${method}:${field('uri')}`)}`);
  return offered.includes(algorithm) && field('response') === expected;
}
