/** One attempt to send a notice: a POST without redirects, over TLS with the certificate verified, and with a deadline. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { retryAfterMs } from '../../clock/retry-after';
import type { FaultRecord } from '../../fault/fault';

/** Milliseconds for all of an attempt, from the name's look-up to the head of the answer. */
const ANSWER_MS = 10_000;
/** A server that asks for more is tried again after this. */
const MAX_PAUSE_MS = 3_600_000;
/** The server will never accept this notice: it rejects the body. */
const REFUSING: readonly number[] = [400, 413, 415, 422];

/** `failed`: try again. `refused`: give this notice up. `gone`: send nothing ever again (410). */
export type Posted =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'failed'; readonly fault: FaultRecord; readonly pauseMs?: number }
  | { readonly kind: 'refused' | 'gone'; readonly fault: FaultRecord };

export type Post = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
) => Promise<Posted>;

/** Never rejects. */
export const post: Post = async (url, headers, body, signal) => {
  const deadline = AbortSignal.timeout(ANSWER_MS);
  try {
    return await answerOf(url, headers, body, AbortSignal.any([signal, deadline]));
  } catch (error) {
    const { code = 'failed', message } = error as NodeJS.ErrnoException;
    if (deadline.aborted) return failed('no-answer', `gave no answer within ${ANSWER_MS / 1000} s`);
    return failed(REASONS[code] === undefined ? 'failed' : code, REASONS[code] ?? reasonOf(code, message));
  }
};

const UNTRUSTED =
  'has a certificate of an authority that is not trusted; start the daemon with NODE_EXTRA_CA_CERTS=FILE to trust the one in FILE';
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ENOTFOUND: 'has a host name that does not exist',
  EAI_AGAIN: 'has a host name that cannot be looked up now',
  ECONNRESET: 'closed the connection without an answer',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name',
  EPROTO:
    'cannot be spoken to over TLS; check that its URL begins with the right one of https:// and http://',
};

function reasonOf(code: string, message: string): string {
  // Node.js's codes for answers that are not HTTP.
  if (code.startsWith('HPE_')) return 'answers with something that is not HTTP';
  return `cannot be asked (${code === 'failed' ? message : code})`;
}

async function answerOf(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const { username, password } = new URL(url);
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const target = url.replace(/^([a-z]+:\/\/)[^/?#]*@/, '$1');
    const begin = target.startsWith('https:') ? requestHttps : requestHttp;
    const asking = begin(target, {
      method: 'POST',
      agent: false,
      signal,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'Vigil',
        ...(credentials === ':'
          ? {}
          : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
        ...headers,
      },
    });
    asking.once('error', reject);
    asking.once('response', (response) => {
      // The body is not needed, and ends with the deadline.
      response.once('error', () => undefined).resume();
      resolve(meaningOf(response.statusCode ?? 0, response.headers['retry-after']));
    });
    asking.end(body);
  });
}

function meaningOf(status: number, retryAfter: string | undefined): Posted {
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  const code = `http-${status}`;
  if (status === 410)
    return { kind: 'gone', fault: { code, message: 'answers 410: it wants no more notices' } };
  if (REFUSING.includes(status))
    return { kind: 'refused', fault: { code, message: `refuses a notice with status ${status}` } };
  if (status >= 300 && status < 400)
    return failed(code, `answers ${status}, a redirect, which is not followed; give the URL it leads to`);
  const pauseMs = retryAfterMs(retryAfter, Date.now(), MAX_PAUSE_MS);
  return { ...failed(code, `answers with status ${status}`), ...(pauseMs === undefined ? {} : { pauseMs }) };
}

function failed(code: string, message: string): Posted & { readonly kind: 'failed' } {
  return { kind: 'failed', fault: { code, message } };
}
