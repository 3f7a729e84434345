/**
 * One DESCRIBE to an RTSP camera before ffmpeg opens it. ffmpeg follows redirects without limit and supports
 * only one authentication scheme; with the answer, Vigil can direct ffmpeg to the stream, or report what is
 * wrong.
 */
import { performance } from 'node:perf_hooks';
import { redactUrl } from '../../../url/url';
import type { FaultRecord } from '../../../fault/fault';
import type { RtspAnswer } from './answer';
import { readAddress, redirected, requestUri, type RtspAddress } from './address';
import { answerable, challengesOf, ffmpegAnswers, namesOf, type Challenge } from './challenge';
import { Conversation, type Trust } from './conversation';
import { headerOf, statusOf } from './message';
import { readDescription } from './sdp';

/** Most redirects that are followed; a camera needs none or one. */
const MAX_REDIRECTIONS = 5;

/** Milliseconds for an answer: the first, and those after a redirect, which ffmpeg must not follow itself. */
export interface Patience {
  readonly firstMs: number;
  readonly redirectedMs: number;
}

/** Never rejects. When it settles, also by `signal`, all its connections are closed. */
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

/** Queries one address, and again with the password if that is required. */
async function describeOnce(
  conversation: Conversation,
  startedMs: number,
): Promise<RtspAnswer | { readonly location: string }> {
  const { address } = conversation;
  let reply = await conversation.describe();
  if (typeof reply !== 'string' && statusOf(reply) === 401 && address.credentials !== undefined) {
    const challenges = challengesOf(reply);
    const offer = ffmpegAnswers(challenges);
    // ffmpeg before version 7 does not escape the user name for digest.
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

/** The camera refused a correct response made with its configured user name and password. */
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
      `redirects to ${shown}, which is not an RTSP address; put the address of its stream into "url"`,
    );
  if (visited.has(requestUri(to)))
    return refuse(`redirects in a circle, back to ${shown}; put the address of its stream into "url"`);
  if (visited.size > MAX_REDIRECTIONS)
    return refuse(
      `redirects more than ${MAX_REDIRECTIONS} times, at last to ${shown}; put the address of its stream into "url"`,
    );
  return undefined;
}
