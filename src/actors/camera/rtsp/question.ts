/**
 * One question to an RTSP camera, before ffmpeg opens it: what do you describe there? ffmpeg follows redirections without end and
 * answers one kind of password alone; who knows that beforehand sends it to where the stream is, or says what is wrong.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { redactUrl } from '../../../url/url';
import type { CameraTls } from '../../../config/topology';
import { faultRecord, type FaultRecord } from '../../../fault/fault';
import { errorFault } from '../http/http-fault';
import { readAddress, redirected, requestUri, type RtspAddress } from './address';
import { authorization } from './authorization';
import { answerable, ffmpegAnswers, namesOf, readChallenges, type Challenge } from './challenge';
import { connectTo } from './connection';
import { headerOf, RtspSplitter, RtspTooLarge, statusOf, type RtspMessage } from './message';
import { readDescription, type Described } from './sdp';

/** Redirections that are followed; a camera needs none or one. */
const MAX_REDIRECTIONS = 5;

export type RtspAnswer =
  /** No connection, or an end of it: ffmpeg finds the words for that. */
  | { readonly kind: 'unreached' }
  /** No connection within the patience. */
  | { readonly kind: 'unconnected' }
  /** A connection, and no answer within the patience. */
  | { readonly kind: 'unanswered' }
  | {
      readonly kind: 'described';
      /** Behind all redirections. */
      readonly address: RtspAddress;
      /** Milliseconds from the start of the question. */
      readonly afterMs: number;
      readonly described: Described;
    }
  /** It wants the password in a way ffmpeg does not know. */
  | { readonly kind: 'guarded'; readonly address: RtspAddress; readonly offered: string }
  /** ffmpeg need not try. The message is without its subject. */
  | { readonly kind: 'refused'; readonly fault: FaultRecord }
  /** Another answer, which ffmpeg will get too. */
  | { readonly kind: 'other'; readonly address: RtspAddress; readonly status: number };

/** Milliseconds for an answer: the first, and those behind a redirection, which ffmpeg must not follow by itself. */
export interface Patience {
  readonly firstMs: number;
  readonly redirectedMs: number;
}

/** What is made sure of before the password is told. */
export interface Trust {
  /** How its certificate is verified; absent: not at all. */
  readonly tls?: CameraTls;
  /** The password is about to go to whom nobody verified, as good as readable. */
  readonly onBasic?: (() => void) | undefined;
}

type Reply = RtspMessage | 'unreached' | 'unconnected' | 'unanswered' | 'endless';

/** Never rejects. Of its connections none is left when it settles, also by `signal`. */
export async function askRtsp(
  url: string,
  patience: Patience,
  signal: AbortSignal,
  trust: Trust = {},
): Promise<RtspAnswer> {
  const startedMs = performance.now();
  const first = readAddress(url);
  if (first === undefined) return { kind: 'unreached' };
  const visited = new Set([requestUri(first)]);
  let address = first;
  for (;;) {
    const conversation = new Conversation(address, trust);
    let next: RtspAnswer | { readonly location: string };
    try {
      const limitMs = visited.size === 1 ? patience.firstMs : patience.redirectedMs;
      conversation.endAfter(limitMs, signal);
      next = await describeOnce(conversation, startedMs);
    } finally {
      conversation.close();
    }
    if (!('location' in next)) return next;
    const to = redirected(address, next.location);
    const fault = redirectionFault(next.location, to, visited);
    if (fault !== undefined || to === undefined) return fault ?? { kind: 'unreached' };
    visited.add(requestUri(to));
    address = to;
  }
}

/** Asks at one address, and again with the password where that is wanted. */
async function describeOnce(
  conversation: Conversation,
  startedMs: number,
): Promise<RtspAnswer | { readonly location: string }> {
  const { address } = conversation;
  let reply = await conversation.describe();
  if (typeof reply !== 'string' && statusOf(reply) === 401 && address.credentials !== undefined) {
    const challenges = challengesOf(reply);
    const offer = ffmpegAnswers(challenges);
    // ffmpeg before 7 does not escape the name for digest.
    const escaped = offer?.scheme === 'digest' && /["\\]/.test(address.credentials.username);
    if (offer === undefined || escaped) return unanswerable(address, challenges);
    if (offer.scheme === 'basic') conversation.showsPassword();
    reply = await conversation.describe(offer);
    if (typeof reply !== 'string' && statusOf(reply) === 401)
      return { kind: 'refused', fault: WRONG_PASSWORD };
  }
  if (reply === 'endless') return { kind: 'refused', fault: NOT_RTSP };
  if (reply === 'unreached') return conversation.unreached();
  if (typeof reply === 'string') return { kind: reply };
  const status = statusOf(reply) ?? 0;
  const location = headerOf(reply, 'location');
  if (status >= 300 && status < 400 && location !== undefined) return { location };
  if (status !== 200) return { kind: 'other', address, status };
  const afterMs = performance.now() - startedMs;
  return { kind: 'described', address, afterMs, described: readDescription(reply.body) };
}

/** Refused with this camera's user name and password, correctly answered. */
const WRONG_PASSWORD: FaultRecord = {
  code: 'unauthorized',
  message: 'refused the user name or password; check "username" and "password" of this camera',
};

const NOT_RTSP: FaultRecord = {
  code: 'not-a-stream',
  message: 'sends an answer that is too long for RTSP; check that URL and port are those of a stream',
};

function unanswerable(address: RtspAddress, challenges: readonly Challenge[]): RtspAnswer {
  const offered = namesOf(challenges) || 'nothing that is known';
  if (answerable(challenges).length > 0) return { kind: 'guarded', address, offered };
  const message = `asks for the password by ${offered}, which Vigil does not know; set its authentication to Digest with MD5 or SHA-256`;
  return { kind: 'refused', fault: { code: 'unknown-authentication', message } };
}

/** Why a redirection is not followed. */
function redirectionFault(
  location: string,
  to: RtspAddress | undefined,
  visited: ReadonlySet<string>,
): RtspAnswer | undefined {
  const shown = redactUrl(location).slice(0, 300);
  const refuse = (message: string): RtspAnswer => ({ kind: 'refused', fault: { code: 'redirect', message } });
  if (to === undefined)
    return refuse(
      `redirects to ${shown}, which is no RTSP address; put the address of its stream into "url"`,
    );
  if (visited.has(requestUri(to)))
    return refuse(`redirects in a circle, back to ${shown}; put the address of its stream into "url"`);
  if (visited.size > MAX_REDIRECTIONS)
    return refuse(
      `redirects more than ${String(MAX_REDIRECTIONS)} times, at last to ${shown}; put the address of its stream into "url"`,
    );
  return undefined;
}

/** The offers of a 401. */
export function challengesOf(reply: RtspMessage): Challenge[] {
  return readChallenges(
    reply.headers.flatMap(([name, value]) => (name === 'www-authenticate' ? [value] : [])),
  );
}

/** A connection with one request on its way at a time. */
class Conversation {
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

  /** ffmpeg finds the words for it, unless it is not to connect itself: it does not verify. */
  unreached(): RtspAnswer {
    if (this.trust.tls === undefined || this.#error === undefined) return { kind: 'unreached' };
    return { kind: 'refused', fault: faultRecord(errorFault(this.#error), 'failed') };
  }

  showsPassword(): void {
    if (this.trust.tls === undefined || this.address.scheme === 'rtsp') this.trust.onBasic?.();
  }

  /** No answer is waited for any longer. */
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
      `CSeq: ${String(++this.#requests)}`,
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
