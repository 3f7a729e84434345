/** Requests to the API at the page's own address. Errors carry the text of the answer. */

import type { ApiConfigFault, ApiProblem } from '../src/actors/web/view/api';
import type { Loaded } from './picture-feed.js';

const TIMEOUT_MS = 10_000;
/** A probe waits for others, and takes ten seconds itself. */
export const PROBE_TIMEOUT_MS = 90_000;

export class ApiError extends Error {
  /** @param status of HTTP; 0 if there was no answer */
  constructor(
    readonly status: number,
    message: string,
    /** Stable code of the problem. */
    readonly code = '',
    readonly faults: readonly ApiConfigFault[] = [],
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export interface Answer<T> {
  readonly body: T;
  /** The server's clock when it answered, to the second; undefined if the answer does not contain it. */
  readonly serverTime?: number;
  readonly etag?: string;
}

/** Path of a camera, relative to the page. */
export function cameraPath(id: string): string {
  return `api/cameras/${encodeURIComponent(id)}`;
}

/** @param path relative to the page, without a leading slash. @throws ApiError */
export async function getJson<T>(path: string): Promise<Answer<T>> {
  const response = await request(path, { headers: { accept: 'application/json' } });
  const body = (await response.json()) as T;
  const date = Date.parse(response.headers.get('date') ?? '');
  const etag = response.headers.get('etag');
  return {
    body,
    ...(Number.isNaN(date) ? {} : { serverTime: date }),
    ...(etag === null ? {} : { etag }),
  };
}

/** Has something changed. @throws ApiError */
export async function sendJson<T>(
  method: 'PUT' | 'DELETE' | 'POST',
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const init = { method, headers: { accept: 'application/json', ...type, ...headers }, ...sent };
  return (await (await request(path, init, timeoutMs)).json()) as T;
}

/** @throws ApiError */
export async function signIn(token: string): Promise<void> {
  await request('sign-in', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ token }),
  });
}

/** The present picture as an address for an image element; the caller revokes it. Undefined if there was no answer. */
export async function loadPicture(path: string, signal: AbortSignal): Promise<Loaded | undefined> {
  try {
    // The browser keeps the picture and asks whether it is still the newest.
    const response = await request(path, { cache: 'no-cache', signal });
    const capturedAt = Date.parse(response.headers.get('x-captured-at') ?? '');
    return { src: URL.createObjectURL(await response.blob()), capturedAt };
  } catch (error) {
    return error instanceof ApiError && error.status === 404 ? { why: error.message } : undefined;
  }
}

/** Why a request whose body is not needed was refused; undefined if it was accepted. */
export async function whyRefused(path: string): Promise<unknown> {
  const over = new AbortController();
  try {
    await request(path, { signal: over.signal });
    return undefined;
  } catch (error) {
    return error;
  } finally {
    over.abort();
  }
}

async function request(path: string, init: RequestInit, timeoutMs = TIMEOUT_MS): Promise<Response> {
  let response: Response;
  try {
    const signals = [AbortSignal.timeout(timeoutMs), ...(init.signal == null ? [] : [init.signal])];
    response = await fetch(path, {
      ...{ credentials: 'same-origin', cache: 'no-store' },
      ...init,
      signal: AbortSignal.any(signals),
    });
  } catch {
    throw new ApiError(0, 'Vigil does not answer.');
  }
  if (response.ok) return response;
  throw await problemOf(response);
}

/** From problem details according to RFC 9457. */
async function problemOf(response: Response): Promise<ApiError> {
  try {
    const { detail, title, code, faults } = (await response.json()) as Partial<ApiProblem>;
    const message = [detail, title].find((text) => typeof text === 'string' && text !== '');
    if (message !== undefined) return new ApiError(response.status, message, code, faults);
  } catch {
    // Not JSON: the status has to do.
  }
  return new ApiError(response.status, `Vigil answered with status ${response.status}.`);
}
