/**
 * Why a camera delivers nothing over HTTP, in plain text for operators; codes are those of feed/open-rules.ts
 * if it has one. Pure.
 */
import type { CameraSource } from '../../../config/topology';
import { Fault } from '../../../fault/fault';
import { feedName } from '../../../config/feed-name';
import type { Asked } from './login';
import { trustFault } from './trust';

/** Limit for all headers of an answer together. */
export const MAX_HEADERS_BYTES = 64 * 1024;

/** A fault that includes the pause the camera asked for. */
export class RetryLater extends Fault {
  constructor(
    fault: Fault,
    readonly retryAfterMs: number,
  ) {
    super(fault.code, fault.message);
  }
}

interface Rule {
  readonly codes: RegExp;
  readonly code: string;
  /** Follows the feed's name. */
  readonly sentence: string;
}

/** Rules for the error codes of Node.js. */
const ERRORS: readonly Rule[] = [
  {
    codes: /^ECONNREFUSED$/,
    code: 'refused',
    sentence: 'refuses connections; check the port, and that the camera serves this protocol',
  },
  {
    codes: /^(?:EHOSTUNREACH|ENETUNREACH|ENETDOWN|EHOSTDOWN|EADDRNOTAVAIL|EINVAL)$/,
    code: 'unreachable',
    sentence: 'cannot be reached; check the address and the network',
  },
  {
    codes: /^(?:ENOTFOUND|EAI_\w+)$/,
    code: 'unknown-host',
    sentence: 'has a name that cannot be resolved; check the host in the URL',
  },
  {
    codes: /^(?:ETIMEDOUT|ERR_SOCKET_CONNECTION_TIMEOUT)$/,
    code: 'timeout',
    sentence: 'does not answer in time; check the address, and that nothing between blocks it',
  },
  {
    codes: /^HPE_HEADER_OVERFLOW$/,
    code: 'headers-too-large',
    sentence: `answers with more than ${MAX_HEADERS_BYTES / 1024} KiB of headers; check that the URL is that of a camera`,
  },
  {
    codes: /^HPE_/,
    code: 'not-http',
    sentence: 'answers, but not in HTTP; check the port of the URL, and whether it serves https:// there',
  },
  {
    codes: /^(?:EPROTO|ERR_(?:SSL|TLS)_\w+|.*CERT.*)$/,
    code: 'tls',
    sentence: 'failed the TLS handshake; check that it serves the encrypted protocol on this port',
  },
  {
    codes: /^(?:ECONNRESET|EPIPE|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE)$/,
    code: 'closed',
    sentence:
      'closed the connection before a picture was complete; check that no other client holds the camera',
  },
];

const STATUSES: readonly Rule[] = [
  {
    codes: /^(?:404|410)$/,
    code: 'not-found',
    sentence: 'answers, but has nothing at that path (%); check the path of the URL',
  },
  {
    codes: /^(?:429|503)$/,
    code: 'too-many-sessions',
    sentence:
      'has no room for another viewer (%); close other clients of this camera, some serve only one at a time, or lower "rate"',
  },
  {
    codes: /^(?:401|403|407)$/,
    code: 'unauthorized',
    sentence:
      'does not let this user see its pictures (%); check "username" and "password" of this camera, and the rights of that user in the camera',
  },
  {
    codes: /^5/,
    code: 'server-error',
    sentence: 'returned a server error (%); look at the camera itself',
  },
  {
    codes: /^4/,
    code: 'rejected',
    sentence:
      'does not accept the request (%); check path and query of the URL, and that no other client holds the camera',
  },
  {
    codes: /./,
    code: 'no-content',
    sentence: 'answered with status %, which has no picture; check path and query of the URL',
  },
];

/** Why a request was not answered. */
export function errorFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const untrusted = trustFault(error);
  if (untrusted !== undefined) return untrusted;
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  const rule = ERRORS.find(({ codes }) => codes.test(code));
  return rule === undefined
    ? new Fault('failed', `could not be read over HTTP (${code})`)
    : new Fault(rule.code, rule.sentence);
}

/** Why an answer with this status is unusable. */
export function statusFault(status: number): Fault {
  const text = String(status);
  const rule = STATUSES.find(({ codes }) => codes.test(text));
  return new Fault(rule?.code ?? 'failed', (rule?.sentence ?? '').replace('%', text));
}

/** Why a login did not succeed. */
export function loginFault(asked: Exclude<Asked, { kind: 'again' }>): Fault {
  switch (asked.kind) {
    case 'refused':
      return new Fault(
        'unauthorized',
        'refused the user name or password; check "username" and "password" of this camera',
      );
    case 'no-credentials':
      return new Fault(
        'unauthorized',
        'asks for a user name and password; set "username" and "password" of this camera',
      );
    case 'unsupported':
      return new Fault(
        'login-method',
        `asks for a login that is not supported (${asked.offered.join(', ') || 'none named'}); set the camera to digest authentication with MD5 or SHA-256, or to basic`,
      );
  }
}

/** How far a request had come when its time ran out. */
export type Phase = 'connecting' | 'connected' | 'answering' | 'answered' | 'picture';

const LATE: Readonly<Record<Phase, readonly [code: string, sentence: string]>> = {
  connecting: ['timeout', 'does not answer in time; check the address, and that nothing between blocks it'],
  connected: [
    'silent',
    'accepted the connection and sent nothing for %; look for clients that hold the camera, and raise "connectMs" if it is that slow',
  ],
  answering: [
    'slow-answer',
    'began to answer and was not through with its headers after %; look at the network, and raise "connectMs" if the camera is that slow',
  ],
  answered: [
    'silent',
    'answered and sent no picture for %; look for clients that hold the camera, and raise "connectMs" if it is that slow',
  ],
  picture: [
    'slow-picture',
    'sent only a part of a picture in %; look at the network, and raise "connectMs" if the camera is that slow',
  ],
};

export function lateFault(phase: Phase, limitMs: number): Fault {
  const [code, sentence] = LATE[phase];
  return new Fault(code, sentence.replace('%', `${Math.round(limitMs)} ms`));
}

/** The same fault with the feed's name before its message. */
export function ofFeed(source: CameraSource, fault: Fault): Fault {
  const named = new Fault(fault.code, `${feedName(source)} ${fault.message}`);
  return fault instanceof RetryLater ? new RetryLater(named, fault.retryAfterMs) : named;
}
