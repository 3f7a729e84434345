/**
 * A relay on loopback between one ffmpeg and one camera that requires an authentication scheme ffmpeg does
 * not support, or whose certificate is verified, which ffmpeg does not do over RTSP. The relay answers the
 * camera's challenges, and passes everything else on unchanged. Only such cameras are read through it.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { CameraTls } from '../../../config/topology';
import { requestUri, type RtspAddress } from './address';
import { authorization } from './authorization';
import { answerable, challengesOf, type Challenge } from './challenge';
import { connectTo } from './connection';
import { RtspSplitter, statusOf, type RtspMessage } from './message';

/** Most unanswered requests; ffmpeg sends one after the other. */
const MAX_WAITING = 16;
/** How often one request may be sent: there may be two offers, each with a nonce that may have expired. */
const MAX_SENT = 5;

/** A request that awaits its answer. */
interface Waiting {
  readonly request: RtspMessage;
  /** Offers that were answered in vain. */
  readonly refused: number;
  /** How often the request was sent. */
  readonly sent: number;
}

export interface RtspRelay {
  /**
   * What ffmpeg opens in place of the camera. The path contains a secret, so that no other program can
   * connect.
   */
  readonly url: string;
  close(): void;
}

/** @throws what listening throws */
export async function startRelay(camera: RtspAddress, tls?: CameraTls): Promise<RtspRelay> {
  const secret = randomBytes(16).toString('hex');
  const sessions = new Set<Session>();
  const server: Server = createServer((client) => {
    const { port } = server.address() as AddressInfo;
    const session = new Session(client, camera, `rtsp://127.0.0.1:${port}/${secret}`, tls);
    sessions.add(session);
    client.once('close', () => sessions.delete(session));
  });
  server.maxConnections = 2;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `rtsp://127.0.0.1:${port}/${secret}${camera.rest}`,
    close: () => {
      server.close();
      for (const session of sessions) session.end();
    },
  };
}

class Session {
  readonly #camera: Socket;
  readonly #fromClient = new RtspSplitter();
  readonly #fromCamera = new RtspSplitter();
  readonly #waiting: Waiting[] = [];
  /** The camera's offer, once there was one, which every request answers. */
  #offer: Challenge | undefined;
  /** Requests that have answered the offer. */
  #count = 0;
  #admitted = false;

  constructor(
    private readonly client: Socket,
    private readonly address: RtspAddress,
    private readonly prefix: string,
    tls: CameraTls | undefined,
  ) {
    this.#camera = connectTo(address, tls, () => undefined);
    for (const [from, take] of [
      [client, this.#takeFromClient.bind(this)],
      [this.#camera, this.#takeFromCamera.bind(this)],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', () => undefined).on('close', () => this.end());
      from.on('data', (chunk: Buffer) => {
        try {
          take(chunk);
        } catch {
          // The answer is not RTSP, or has no end: ffmpeg sees the connection close.
          this.end();
        }
      });
    }
  }

  end(): void {
    this.client.destroy();
    this.#camera.destroy();
  }

  #takeFromClient(chunk: Buffer): void {
    for (const each of this.#fromClient.push(chunk)) {
      if (each.kind === 'media') this.#camera.write(each.bytes);
      else this.#send({ request: each, refused: 0, sent: 0 });
    }
  }

  #send(waiting: Waiting): void {
    const { request } = waiting;
    const [method = '', uri = '', ...version] = request.firstLine.split(' ');
    // A client proves that it knows the secret in its first request; later ones may name URLs the camera
    // described.
    this.#admitted ||= uri.startsWith(this.prefix);
    if (this.#waiting.length >= MAX_WAITING || !this.#admitted)
      throw new Error('not the client this relay is for');
    const own = { ...this.address, rest: '' };
    const target = uri.startsWith(this.prefix) ? requestUri(own) + uri.slice(this.prefix.length) : uri;
    this.#waiting.push({ ...waiting, sent: waiting.sent + 1 });
    const headers = request.headers.filter(([name]) => name !== 'authorization');
    const answer = this.#answer(method, target);
    const lines = [
      [method, target, ...version].join(' '),
      ...headers.map(([name, value]) => `${name}: ${value}`),
      ...(answer === undefined ? [] : [`Authorization: ${answer}`]),
    ];
    this.#camera.write(`${lines.join('\r\n')}\r\n\r\n${request.body}`, 'latin1');
  }

  #answer(method: string, uri: string): string | undefined {
    const { credentials } = this.address;
    if (this.#offer === undefined || credentials === undefined) return undefined;
    const clientNonce = randomBytes(8).toString('hex');
    return authorization(this.#offer, credentials, { method, uri, count: ++this.#count, clientNonce });
  }

  #takeFromCamera(chunk: Buffer): void {
    for (const each of this.#fromCamera.push(chunk)) {
      if (each.kind === 'media' || statusOf(each) === undefined) this.#toClient(each.bytes);
      else this.#takeAnswer(each);
    }
  }

  #takeAnswer(message: RtspMessage): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined && statusOf(message) === 401 && waiting.sent < MAX_SENT) {
      const offers = answerable(challengesOf(message));
      // After an expired nonce the same offer is answered again, after a refusal the next: the camera may
      // store the password for only one of them.
      const answered = waiting.sent > 1 || this.#count > 0;
      const refused = waiting.refused + (answered && offers.every(({ stale }) => !stale) ? 1 : 0);
      const offer = offers[refused];
      if (offer !== undefined) {
        this.#offer = offer;
        this.#count = 0;
        this.#send({ ...waiting, refused });
        return;
      }
    }
    this.#toClient(this.#withSource(message));
  }

  /**
   * Over UDP, ffmpeg sends its reports to the peer that answered, which is this relay, unless the answer
   * names a source.
   */
  #withSource({ bytes }: RtspMessage): Buffer {
    const text = bytes.toString('latin1');
    const source = this.#camera.remoteAddress;
    if (source === undefined || !/^transport:.*server_port=/im.test(text) || /;source=/i.test(text))
      return bytes;
    return Buffer.from(text.replace(/^(transport:[^\r\n]*)/im, `$1;source=${source}`), 'latin1');
  }

  /** The camera waits while ffmpeg does not read. */
  #toClient(bytes: Buffer): void {
    if (this.client.write(bytes)) return;
    this.#camera.pause();
    this.client.once('drain', () => {
      this.#camera.resume();
    });
  }
}
