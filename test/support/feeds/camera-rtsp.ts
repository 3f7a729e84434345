/**
 * An RTSP camera of any kind: pictures in the order they are sent, sound before, behind or ahead of them, tracks it
 * refuses, parameters it does not tell. It says when the last packet of each picture went out. Over TCP and UDP.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { audioTrack, type AudioCodec, type AudioTrack } from './camera-audio';
import { mediaAttributes, payloadsOf, payloadType, type RtpCodec } from './rtp-packets';
import { answerTo, RequestReader, type RtspRequest } from './rtsp-requests';

export interface SentUnit {
  readonly bytes: Buffer;
  readonly key: boolean;
  readonly number: number;
  /** When it is sent and when it is shown, in pictures from the beginning. */
  readonly sentAt: number;
  readonly shownAt: number;
}

export interface CameraAudio {
  readonly codec: AudioCodec;
  /**
   * `first`: described before the video, and its packets come before the first picture's; `second`: the other way
   * round; `early`: described behind it, and on the wire 300 ms before; `dead`: described, never sent.
   */
  readonly place: 'first' | 'second' | 'early' | 'dead';
  /** Status of the answer to its SETUP instead of 200. */
  readonly refused?: number;
}

export interface CameraRtspOptions {
  readonly codec: RtpCodec;
  /** Looped. */
  readonly units: readonly SentUnit[];
  readonly fps: number;
  readonly audio?: CameraAudio;
  /** Of the clip where each client comes in; the beginning unless given. */
  readonly joinAt?: number;
  /** Whether the description tells the stream's parameters; it does unless told otherwise. */
  readonly withParameters?: boolean;
  readonly port?: number;
  /** Right before the last packet of a picture is sent. */
  readonly onSent?: (number: number, atMs: number) => void;
}

export interface CameraRtsp {
  readonly port: number;
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const HOST = '127.0.0.1';
const VIDEO_HZ = 90_000;
const EARLY_MS = 300;
const SESSION = '12345678';
type TrackName = 'video' | 'audio';
const NAMES: readonly TrackName[] = ['video', 'audio'];

export async function startCameraRtsp(options: CameraRtspOptions): Promise<CameraRtsp> {
  const audio = options.audio === undefined ? undefined : await audioTrack(options.audio.codec);
  const clients = new Set<Client>();
  const server = createServer((socket) => {
    const client = new Client(socket, options, audio);
    clients.add(client);
    socket.on('close', () => clients.delete(client));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, HOST, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `rtsp://${HOST}:${String(port)}/camera`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const client of clients) client.close();
      }),
  };
}

/** One track on its way to one client. */
interface Way {
  sequence: number;
  readonly source: number;
  readonly send: (packet: Buffer) => void;
}

class Client {
  readonly #requests = new RequestReader();
  readonly #ways = new Map<TrackName, Way>();
  readonly #udp: UdpSocket[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(
    private readonly socket: Socket,
    private readonly options: CameraRtspOptions,
    private readonly audio: AudioTrack | undefined,
  ) {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.close();
    });
    socket.on('data', (chunk) => {
      for (const request of this.#requests.push(chunk)) void this.#answer(request);
    });
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const udp of this.#udp.splice(0)) udp.close();
    this.socket.destroy();
  }

  async #answer(request: RtspRequest): Promise<void> {
    const say = (status: string, headers: readonly string[] = [], body = '') =>
      this.socket.write(answerTo(request, status, headers, body));
    switch (request.method) {
      case 'OPTIONS':
        say('200 OK', ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER']);
        return;
      case 'DESCRIBE':
        say(
          '200 OK',
          [`Content-Base: ${request.url}/`, 'Content-Type: application/sdp'],
          this.#description(),
        );
        return;
      case 'SETUP':
        await this.#setUp(request, say);
        return;
      case 'PLAY':
        say('200 OK', [`Session: ${SESSION}`]);
        this.#play();
        return;
      case 'TEARDOWN':
        say('200 OK');
        this.socket.end();
        return;
      default:
        say('200 OK', [`Session: ${SESSION}`]);
    }
  }

  #description(): string {
    const { codec, units, audio, withParameters = true } = this.options;
    const keyframe = units.find(({ key }) => key)?.bytes ?? Buffer.alloc(0);
    const video = [
      `m=video 0 RTP/AVP ${String(payloadType(codec))}`,
      ...mediaAttributes(codec, keyframe, withParameters),
      'a=control:video',
    ];
    const sound =
      this.audio === undefined
        ? []
        : [
            `m=audio 0 RTP/AVP ${String(this.audio.payloadType)}`,
            ...this.audio.attributes,
            'a=control:audio',
          ];
    const tracks = audio?.place === 'first' ? [...sound, ...video] : [...video, ...sound];
    const head = ['v=0', `o=- 1 1 IN IP4 ${HOST}`, 's=camera', 't=0 0', 'a=control:*'];
    return [...head, ...tracks, ''].join('\r\n');
  }

  async #setUp(
    request: RtspRequest,
    say: (status: string, headers?: readonly string[]) => void,
  ): Promise<void> {
    const name = NAMES.find((each) => request.url.endsWith(each)) ?? 'video';
    const refused = name === 'audio' ? this.options.audio?.refused : undefined;
    if (refused !== undefined) {
      say(`${String(refused)} Refused`);
      return;
    }
    const transport = request.header('Transport');
    const [, channel] = /interleaved=(\d+)/.exec(transport) ?? [];
    const [, port] = /client_port=(\d+)/.exec(transport) ?? [];
    if (channel !== undefined) {
      this.#addWay(name, (packet) => {
        this.socket.write(interleaved(Number(channel), packet));
      });
      const channels = `${channel}-${String(Number(channel) + 1)}`;
      say('200 OK', [`Transport: RTP/AVP/TCP;unicast;interleaved=${channels}`, `Session: ${SESSION}`]);
    } else if (port === undefined) say('461 Unsupported Transport');
    else {
      const udp = await this.#bindUdp();
      this.#addWay(name, (packet) => {
        if (!this.#closed) udp.send(packet, Number(port), HOST);
      });
      const ports = `client_port=${port}-${String(Number(port) + 1)};server_port=${udpPorts(udp)}`;
      say('200 OK', [`Transport: RTP/AVP;unicast;${ports}`, `Session: ${SESSION}`]);
    }
  }

  #addWay(name: TrackName, send: Way['send']): void {
    this.#ways.set(name, { sequence: 1, source: 0x1234 + NAMES.indexOf(name), send });
  }

  async #bindUdp(): Promise<UdpSocket> {
    const udp = createSocket('udp4');
    this.#udp.push(udp);
    udp.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      udp.bind(0, HOST, resolve);
    });
    return udp;
  }

  #play(): void {
    const { audio, joinAt = 0 } = this.options;
    const startedMs = performance.now();
    const withSound = this.audio !== undefined && audio?.place !== 'dead' && this.#ways.has('audio');
    if (withSound && audio?.place !== 'second') this.#playAudio(startedMs);
    this.#playVideo(joinAt, startedMs + (audio?.place === 'early' ? EARLY_MS : 0));
    if (withSound && audio?.place === 'second') this.#playAudio(startedMs);
  }

  #playVideo(joinAt: number, startedMs: number): void {
    const way = this.#ways.get('video');
    if (way === undefined) return;
    const { units, fps, codec, onSent } = this.options;
    const first = units[joinAt]?.sentAt ?? 0;
    const length = units.filter(({ sentAt }) => Number.isInteger(sentAt)).length;
    const dueOf = (index: number): number => {
      const unit = units[index % units.length];
      return Math.floor(index / units.length) * length + (unit?.sentAt ?? 0) - first;
    };
    this.#repeat(
      joinAt,
      startedMs,
      (index) => (dueOf(index) * 1000) / fps,
      (index) => {
        const unit = units[index % units.length];
        if (unit === undefined) return;
        const shownAt = Math.floor(index / units.length) * length + unit.shownAt;
        const packets = payloadsOf(codec, unit.bytes, unit.key);
        for (const [i, payload] of packets.entries()) {
          const isLast = i === packets.length - 1;
          if (isLast) onSent?.(unit.number, Date.now());
          this.#send(way, payload, payloadType(codec), Math.round((shownAt * VIDEO_HZ) / fps), isLast);
        }
      },
    );
  }

  #playAudio(startedMs: number): void {
    const way = this.#ways.get('audio');
    const { audio } = this;
    if (way === undefined || audio === undefined) return;
    const { payloads, packetMs, ticksPerPacket, marker } = audio;
    this.#repeat(
      0,
      startedMs,
      (index) => index * packetMs,
      (index) => {
        const payload = payloads[index % payloads.length];
        if (payload !== undefined)
          this.#send(way, payload, audio.payloadType, index * ticksPerPacket, marker);
      },
    );
  }

  /** Calls `send` for one index after the other when it is due; what is late is sent at once. */
  #repeat(
    from: number,
    startedMs: number,
    dueMs: (index: number) => number,
    send: (index: number) => void,
  ): void {
    let index = from;
    const turn = (): void => {
      while (!this.#closed && performance.now() >= startedMs + dueMs(index)) send(index++);
      if (this.#closed) return;
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer);
          turn();
        },
        Math.max(0, startedMs + dueMs(index) - performance.now()),
      );
      this.#timers.add(timer);
    };
    turn();
  }

  #send(way: Way, payload: Buffer, type: number, time: number, marker: boolean): void {
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = type | (marker ? 0x80 : 0);
    head.writeUInt16BE(way.sequence, 2);
    head.writeUInt32BE(time % 2 ** 32, 4);
    head.writeUInt32BE(way.source, 8);
    way.sequence = (way.sequence + 1) & 0xffff;
    way.send(Buffer.concat([head, payload]));
  }
}

/** RFC 2326, 10.12. */
function interleaved(channel: number, packet: Buffer): Buffer {
  const head = Buffer.from([0x24, channel, 0, 0]);
  head.writeUInt16BE(packet.length, 2);
  return Buffer.concat([head, packet]);
}

function udpPorts(udp: UdpSocket): string {
  const { port } = udp.address();
  return `${String(port)}-${String(port + 1)}`;
}
