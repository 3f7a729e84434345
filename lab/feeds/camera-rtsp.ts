/**
 * An RTSP camera of any kind: pictures in the order they are sent, sound and metadata before, behind or ahead of them,
 * tracks it refuses, parameters it does not state. It says when the last packet of each picture went out. Over TCP and UDP.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { HOST, listen, type Listening } from '../loopback-server';
import { audioTrack } from './camera-audio';
import {
  describeCamera,
  metadataTrack,
  type CameraAudio,
  type CameraQuirks,
  type PlacedTrack,
} from './camera-description';
import { CameraPlayer, type PlayedVideo } from './camera-player';
import { answerTo, interleaved, RequestReader, type RtspRequest } from './rtsp-requests';

export interface CameraRtspOptions extends PlayedVideo {
  readonly audio?: CameraAudio;
  readonly quirks?: CameraQuirks;
  readonly port?: number;
}

export interface CameraRtsp extends Listening {
  readonly url: string;
}

const SESSION = '12345678';

/** Each client gets the clip from its beginning, or from `joinAt`. */
export async function startCameraRtsp(options: CameraRtspOptions): Promise<CameraRtsp> {
  const tracks = await sideTracks(options);
  const server = createServer((socket) => {
    new Client(socket, options, tracks).serve();
  });
  const listening = await listen(server, options.port);
  return { ...listening, url: `rtsp://${HOST}:${listening.port}/camera` };
}

async function sideTracks({ audio, quirks = {} }: CameraRtspOptions): Promise<PlacedTrack[]> {
  const { metadata } = quirks;
  return [
    ...(audio === undefined ? [] : [{ ...audio, track: await audioTrack(audio.codec) }]),
    ...(metadata === undefined ? [] : [{ place: metadata, track: metadataTrack() }]),
  ];
}

type Say = (status: string, headers?: readonly string[], body?: string) => void;

class Client {
  readonly #requests = new RequestReader();
  readonly #player: CameraPlayer;
  readonly #udp: UdpSocket[] = [];
  #closed = false;

  constructor(
    private readonly socket: Socket,
    private readonly options: CameraRtspOptions,
    private readonly tracks: readonly PlacedTrack[],
  ) {
    this.#player = new CameraPlayer(options, tracks);
  }

  serve(): void {
    this.socket
      .setNoDelay(true)
      .on('error', () => undefined)
      .on('close', () => this.#end())
      .on('data', (chunk) => {
        for (const request of this.#requests.push(chunk)) void this.#answer(request);
      });
  }

  #end(): void {
    this.#closed = true;
    this.#player.stop();
    for (const udp of this.#udp.splice(0)) udp.close();
  }

  async #answer(request: RtspRequest): Promise<void> {
    const say: Say = (status, headers = [], body = '') => {
      if (!this.#closed) this.socket.write(answerTo(request, status, headers, body));
    };
    switch (request.method) {
      case 'OPTIONS':
        say('200 OK', ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER']);
        return;
      case 'DESCRIBE':
        await this.#describe(request, say);
        return;
      case 'SETUP':
        await this.#setUp(request, say);
        return;
      case 'PLAY':
        say('200 OK', [`Session: ${SESSION}`]);
        this.#player.play();
        return;
      case 'TEARDOWN':
        say('200 OK');
        this.socket.end();
        return;
      default:
        say('200 OK', [`Session: ${SESSION}`]);
    }
  }

  async #describe({ url }: RtspRequest, say: Say): Promise<void> {
    const { codec, units, quirks = {} } = this.options;
    if (quirks.describeDelayMs !== undefined) await delay(quirks.describeDelayMs);
    const keyframe = units.find(({ key }) => key)?.bytes ?? Buffer.alloc(0);
    const description = describeCamera(codec, keyframe, this.tracks, quirks);
    say('200 OK', [`Content-Base: ${url}/`, 'Content-Type: application/sdp'], description);
  }

  async #setUp(request: RtspRequest, say: Say): Promise<void> {
    const beside = this.tracks.find(({ track }) => request.url.endsWith(track.name));
    if (beside?.refused !== undefined) {
      say(`${beside.refused} Refused`);
      return;
    }
    const name = beside?.track.name ?? 'video';
    const transport = request.header('Transport');
    const [, channel] = /interleaved=(\d+)/.exec(transport) ?? [];
    const [, port] = /client_port=(\d+)/.exec(transport) ?? [];
    if (channel !== undefined) {
      this.#player.addWay(name, (packet) => {
        this.socket.write(interleaved(Number(channel), packet));
      });
      const channels = `${channel}-${Number(channel) + 1}`;
      say('200 OK', [`Transport: RTP/AVP/TCP;unicast;interleaved=${channels}`, `Session: ${SESSION}`]);
    } else if (port === undefined) say('461 Unsupported Transport');
    else {
      const udp = await this.#bindUdp();
      this.#player.addWay(name, (packet) => {
        if (!this.#closed) udp.send(packet, Number(port), HOST);
      });
      const ports = `client_port=${port}-${Number(port) + 1};server_port=${udpPorts(udp)}`;
      say('200 OK', [`Transport: RTP/AVP;unicast;${ports}`, `Session: ${SESSION}`]);
    }
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
}

function udpPorts(udp: UdpSocket): string {
  const { port } = udp.address();
  return `${port}-${port + 1}`;
}
