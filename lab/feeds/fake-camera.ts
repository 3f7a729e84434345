/** An RTSP camera with the habits of real ones, for tests: other tracks, passwords, slow answers, redirections, lost packets. */
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { HOST, listen, type Listening } from '../loopback-server';
import { challenge, isAuthorized, type DigestName } from './digest-login';
import { parameterSets, pictures, rtpPackets } from './rtp';
import { answerTo, interleaved, RequestReader, type RtspRequest } from './rtsp-requests';

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
  /** Over UDP one packet in this many is lost. */
  readonly loseEvery?: number;
}

export interface FakeCamera extends Listening {
  url(path?: string, userinfo?: string): string;
  /** First lines of the requests that came. */
  readonly requests: readonly string[];
}

const SESSION = 'Session: 12345678';

export async function startFakeCamera(options: FakeCameraOptions): Promise<FakeCamera> {
  const clip = pictures(await readFile(options.clip));
  const requests: string[] = [];
  const server = createServer((socket) => {
    const client = new Client(socket, options, clip, (line) => requests.push(line));
    socket.on('error', () => undefined).on('close', () => client.end());
  });
  const listening = await listen(server);
  return {
    ...listening,
    requests,
    url: (path = '/a', userinfo) =>
      `rtsp://${userinfo === undefined ? '' : `${userinfo}@`}${HOST}:${listening.port}${path}`,
  };
}

type Send = (bytes: Buffer) => void;

class Client {
  readonly #received = new RequestReader();
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
      for (const request of this.#received.push(chunk)) this.#answer(request);
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

  #reply(request: RtspRequest, status: string, headers?: readonly string[], body?: string): void {
    this.socket.write(answerTo(request, status, headers, body));
  }

  #answer(request: RtspRequest): void {
    const { method, url } = request;
    this.onRequest(`${method} ${url}`);
    const { digest = [], redirect, describeDelayMs = 0, playDelayMs = 0 } = this.options;
    if (method === 'OPTIONS') {
      this.#reply(request, '200 OK', ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN']);
      return;
    }
    if (digest.length > 0 && !isAuthorized(request, digest)) {
      this.#reply(request, '401 Unauthorized', digest.map(challenge));
      return;
    }
    switch (method) {
      case 'DESCRIBE':
        this.#later(describeDelayMs, () => {
          const [, self = '', path = ''] = /^(rtsp:\/\/[^/]+)(.*)$/.exec(url) ?? [];
          const location = redirect?.(path, self);
          if (location !== undefined) this.#reply(request, '302 Moved', [`Location: ${location}`]);
          else
            this.#reply(
              request,
              '200 OK',
              [`Content-Base: ${url}/`, 'Content-Type: application/sdp'],
              this.#describe(),
            );
        });
        return;
      case 'SETUP':
        this.#setUp(request);
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

  #setUp(request: RtspRequest): void {
    const { audio, secondVideo } = this.options;
    const track = request.url.slice(request.url.lastIndexOf('/') + 1);
    const refused =
      (track === 'sound' && typeof audio === 'object' ? audio.refused : undefined) ??
      (track === 'other' ? secondVideo?.refused : undefined);
    if (refused !== undefined) {
      this.#reply(request, refused);
      return;
    }
    const asked = request.header('Transport');
    const channel = Number(/interleaved=(\d+)/.exec(asked)?.[1] ?? -1);
    const port = Number(/client_port=(\d+)/.exec(asked)?.[1] ?? 0);
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
    return (bytes) => void this.socket.write(interleaved(channel, bytes));
  }

  #overUdp(port: number): Send {
    const socket = createSocket('udp4');
    this.#datagrams.push(socket);
    const { loseEvery = Infinity } = this.options;
    return (bytes) => {
      if (++this.#sentOverUdp % loseEvery !== 0) socket.send(bytes, port, HOST);
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
