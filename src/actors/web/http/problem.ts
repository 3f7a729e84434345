/** Errors of the API: problem details, https://www.rfc-editor.org/rfc/rfc9457. Pure. */
import { STATUS_CODES } from 'node:http';
import type { ApiProblem } from '../view/api';

export const PROBLEM_TYPE = 'application/problem+json';

type More = Pick<ApiProblem, 'capturedAt' | 'reasons' | 'faults'>;

/** Thrown by a route; the error handler answers with it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly more: More = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.name = 'Problem';
  }

  get body(): ApiProblem {
    return problemBody(this.status, this.code, this.message, this.more);
  }
}

export function problemBody(status: number, code: string, detail: string, more: More = {}): ApiProblem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code, ...more };
}

/** What Fastify, its plugins and Node throw. */
interface Thrown {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message: string;
  readonly validation?: readonly { readonly instancePath: string; readonly message?: string }[];
  readonly validationContext?: string;
}

/** What a client sees of an error: of an internal error, only that it is one. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { statusCode = 500, code, message, validation, validationContext } = error as Thrown;
  if (validation !== undefined) {
    const [first] = validation;
    const where = `${validationContext ?? 'request'}${first?.instancePath ?? ''}`;
    return new Problem(400, 'invalid-request', `${where} ${first?.message ?? 'is not valid'}`);
  }
  if (statusCode >= 500)
    return new Problem(500, 'internal', 'the request failed because of an internal error; the log says more');
  const kind = KINDS[statusCode];
  if (kind !== undefined) return new Problem(statusCode, ...kind);
  return new Problem(statusCode, (code ?? 'refused').toLowerCase().replaceAll('_', '-'), message);
}

/** Our own texts: a parser's message may repeat what it was sent. */
const KINDS: Readonly<Record<number, [code: string, detail: string]>> = {
  400: ['bad-request', 'the request is not well-formed'],
  413: ['too-large', 'the body of the request is too large'],
  414: ['too-long', 'the URL of the request is too long'],
  415: ['media-type', 'the body has a Content-Type that is not supported; send application/json'],
  429: ['too-many-requests', 'too many requests from this address; wait, then try again'],
};
