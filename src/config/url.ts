/** URLs of feeds and servers: checking, joining with credentials, and making them safe for text. */

/**
 * Percent-encodes everything but unreserved characters, so that no character of a credential can end a URL's
 * part, an option's value or a quoted string.
 */
export function encodeCredential(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** `url` with credentials that stand beside it. Those replace what the URL itself carries. */
export function withCredentials(url: string, username?: string, password?: string): string {
  if (username === undefined && password === undefined) return url;
  const user = encodeCredential(username ?? '');
  const pass = password === undefined ? '' : `:${encodeCredential(password)}`;
  return url.replace(
    /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?/i,
    (_, scheme: string) => `${scheme}${user}${pass}@`,
  );
}

/**
 * What is wrong with `url` as an address with one of `schemes`, as a sentence without its subject; undefined if
 * nothing is. The sentence never contains the URL.
 */
export function urlProblem(url: string, schemes: readonly string[]): string | undefined {
  const expected = `expected a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(', ')}`;
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return `${expected}, found text without a scheme`;
  if (!schemes.includes(scheme)) return `${expected}, found ${scheme}:`;
  // Control characters and blanks could end a line or a word wherever the URL is handed on.
  if (/[\s\p{Cc}]/u.test(url)) return 'the URL contains a blank or a control character; percent-encode it';
  try {
    if (new URL(url).hostname === '') return `${expected} and a host, found no host`;
  } catch {
    return 'the URL cannot be read; if its user or password has any of @ : / ? # %, put them into "username" and "password" beside it';
  }
  return undefined;
}

/** A URL for people: scheme, host, port and path; neither user nor password nor query. */
export function redactUrl(url: string): string {
  try {
    const { protocol, host, pathname, search } = new URL(url);
    return `${protocol}//${host}${pathname}${search === '' ? '' : '?…'}`;
  } catch {
    return '(unreadable URL)';
  }
}

/** `text` with every URL in it made safe by {@link redactUrl}. */
export function redactText(text: string): string {
  return text.replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s'"<>]+/gi, (url) =>
    /[@?]/.test(url) ? redactUrl(url.replace(/[.,:;)\]]+$/, '')) : url,
  );
}
