/** Who knows the token: by `Authorization: Bearer`, or by a cookie that is given after a sign-in. Pure but for time. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

const COOKIE = 'vigil';
const COOKIE_VALUE = /(?:^|;\s*)vigil=(\d{13})\.([0-9a-f]{64})(?:;|$)/;
/** Milliseconds a sign-in is good for. */
const SESSION_MS = 7 * 86_400_000;

export class Sessions {
  readonly #key: Buffer | undefined;

  /** @param token undefined: access is open to all */
  constructor(
    private readonly token: string | undefined,
    private readonly nowMs: () => number = Date.now,
  ) {
    // A cookie is only valid for the token it was made with, and the token cannot be derived from a cookie.
    this.#key =
      token === undefined ? undefined : createHmac('sha256', token).update('vigil sign-in').digest();
  }

  get areNeeded(): boolean {
    return this.token !== undefined;
  }

  isToken(given: string): boolean {
    return this.token !== undefined && isSame(given, this.token);
  }

  /** @param headers of a request */
  letsIn({
    authorization,
    cookie,
  }: {
    readonly authorization?: string | undefined;
    readonly cookie?: string | undefined;
  }): boolean {
    if (this.token === undefined) return true;
    const [, bearer] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    if (bearer !== undefined) return this.isToken(bearer);
    const [, untilMs, signature] = COOKIE_VALUE.exec(cookie ?? '') ?? [];
    if (untilMs === undefined || signature === undefined) return false;
    return isSame(signature, this.#sign(untilMs)) && Number(untilMs) > this.nowMs();
  }

  /** The `Set-Cookie` of a sign-in. It is not readable by scripts, and not sent by other sites' pages. */
  cookie(isSecure: boolean): string {
    const untilMs = String(this.nowMs() + SESSION_MS);
    const value = `${untilMs}.${this.#sign(untilMs)}`;
    return `${COOKIE}=${value}; Max-Age=${SESSION_MS / 1000}; ${attributes(isSecure)}`;
  }

  #sign(untilMs: string): string {
    return createHmac('sha256', this.#key ?? '')
      .update(untilMs)
      .digest('hex');
  }
}

/** The `Set-Cookie` of a sign-out. */
export function noCookie(isSecure: boolean): string {
  return `${COOKIE}=; Max-Age=0; ${attributes(isSecure)}`;
}

function attributes(isSecure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}

/** Compares in constant time; texts may differ in length, so their digests are compared. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
