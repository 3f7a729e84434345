/** Requests to the API beside the page. Errors carry the words of the answer. */

import type { Loaded } from './picture-feed.js';

const TIMEOUT_MS = 10_000;

export class ApiError extends Error {
  /** @param status of HTTP; 0 where nothing answered */
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export interface Answer<T> {
  readonly body: T;
  /** The server's clock when it answered, to the second; undefined where it does not say. */
  readonly serverTime?: number;
}

/** @param path relative to the page, without a leading slash. @throws ApiError */
export async function getJson<T>(path: string): Promise<Answer<T>> {
  const response = await request(path, { headers: { accept: 'application/json' } });
  const body = (await response.json()) as T;
  const date = Date.parse(response.headers.get('date') ?? '');
  return Number.isNaN(date) ? { body } : { body, serverTime: date };
}

/** @throws ApiError */
export async function signIn(token: string): Promise<void> {
  await request('sign-in', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ token }),
  });
}

/** The present picture as an address for an image element; the caller revokes it. Undefined where nothing answered. */
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

/** What an answer without a body of interest was refused with; undefined where it is given. */
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

async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(init.signal == null ? [] : [init.signal])];
    response = await fetch(path, {
      ...{ credentials: 'same-origin', cache: 'no-store' },
      ...init,
      signal: AbortSignal.any(signals),
    });
  } catch {
    throw new ApiError(0, 'Vigil does not answer.');
  }
  if (response.ok) return response;
  throw new ApiError(response.status, await problemText(response));
}

/** Of problem details as in RFC 9457. */
async function problemText(response: Response): Promise<string> {
  try {
    const { detail, title } = (await response.json()) as { detail?: unknown; title?: unknown };
    for (const text of [detail, title]) if (typeof text === 'string' && text !== '') return text;
  } catch {
    // Not JSON: the status has to do.
  }
  return `Vigil answered with status ${response.status}.`;
}
