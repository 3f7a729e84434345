/** One connection to an RTSP camera, with one outstanding request at a time. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { CameraTls } from '../../../config/topology';
import { faultRecord } from '../../../fault/fault';
import { errorFault } from '../http/http-fault';
import { requestUri, type RtspAddress } from './address';
import type { RtspAnswer } from './answer';
import { authorization } from './authorization';
import type { Challenge } from './challenge';
import { connectTo } from './connection';
import { RtspSplitter, RtspTooLarge, statusOf, type RtspMessage } from './message';

/** What is checked before the password is sent. */
export interface Trust {
  /** How the camera's certificate is verified; absent: not at all. */
  readonly tls?: CameraTls;
  /** The password is about to be sent in readable form to a host that was not verified. */
  readonly onBasic?: (() => void) | undefined;
}

type Reply = RtspMessage | 'unreached' | 'unconnected' | 'unanswered' | 'endless';

export class Conversation {
  readonly #socket: Socket;
  readonly #splitter = new RtspSplitter();
  #connected = false;
  #requests = 0;
  #ended = false;
  #error: Error | undefined;
  #late = false;
  #stopTimer: (() => void) | undefined;
  #settle: ((reply: Reply) => void) | undefined;

  constructor(
    readonly address: RtspAddress,
    private readonly trust: Trust,
  ) {
    const end = () => {
      this.#ended = true;
      this.#settle?.('unreached');
    };
    this.#socket = connectTo(address, trust.tls, () => {
      this.#connected = true;
    });
    this.#socket
      .on('error', (error) => (this.#error = error))
      .on('error', end)
      .on('close', end);
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        for (const each of this.#splitter.push(chunk))
          if (each.kind === 'message' && statusOf(each) !== undefined) this.#settle?.(each);
      } catch (error) {
        if (!(error instanceof RtspTooLarge)) throw error;
        this.#settle?.('endless');
        this.#socket.destroy();
      }
    });
  }

  /**
   * The error is left to ffmpeg's messages, unless the certificate is to be verified, which ffmpeg does not
   * do.
   */
  unreached(): RtspAnswer {
    if (this.trust.tls === undefined || this.#error === undefined) return { kind: 'unreached' };
    return { kind: 'refused', fault: faultRecord(errorFault(this.#error), 'failed') };
  }

  showsPassword(): void {
    if (this.trust.tls === undefined || this.address.scheme === 'rtsp') this.trust.onBasic?.();
  }

  /** Stops waiting for an answer after `limitMs`, or when `signal` is aborted. */
  endAfter(limitMs: number, signal: AbortSignal): void {
    const late = () => {
      this.#late = true;
      this.#settle?.(this.#connected ? 'unanswered' : 'unconnected');
    };
    const timer = setTimeout(late, limitMs);
    signal.addEventListener('abort', late, { once: true });
    this.#stopTimer = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', late);
    };
    if (signal.aborted) late();
  }

  async describe(offer?: Challenge): Promise<Reply> {
    if (this.#ended) return 'unreached';
    if (this.#late) return 'unanswered';
    const uri = requestUri(this.address);
    const { credentials } = this.address;
    const request = { method: 'DESCRIBE', uri, count: 1, clientNonce: randomBytes(8).toString('hex') };
    const answer = offer && credentials && authorization(offer, credentials, request);
    const lines = [
      `DESCRIBE ${uri} RTSP/1.0`,
      'Accept: application/sdp',
      `CSeq: ${++this.#requests}`,
      'User-Agent: Vigil',
      ...(answer === undefined ? [] : [`Authorization: ${answer}`]),
    ];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return new Promise<Reply>((resolve) => {
      this.#settle = resolve;
    });
  }

  close(): void {
    this.#stopTimer?.();
    this.#socket.destroy();
  }
}
