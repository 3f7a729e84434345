/** Makes text safe to show: URLs, and anything else that may contain a password, a token or a stream key. Pure. */
import { URL_PARTS } from './url-parts';

/** Stands for hidden text. */
const HIDDEN = '…';
/** `=` in a path, also percent-encoded, and its value. */
const NAMED_IN_PATH = /(=|%3d)[^/&;]*/gi;

/** A URL for people: scheme, host, port and path; without user, password and anything that may be one. */
export function redactUrl(url: string): string {
  const [, scheme, , host, rest = ''] = URL_PARTS.exec(url) ?? [];
  // What follows an "@" after the host may have been meant as the host: then the apparent host is part of a password.
  if (scheme === undefined || host === undefined || rest.includes('@')) return '(unreadable URL)';
  const [path = '', query] = rest.replace(/#.*/s, '').split('?', 2);
  // Some cameras accept `user=...&password=...` in the path.
  const named = path.replace(NAMED_IN_PATH, `$1${HIDDEN}`);
  // After the application, an RTMP URL names the stream, mostly by a secret key.
  const shown = isRtmp(scheme) ? named.replace(/^(\/[^/]*\/).+$/, `$1${HIDDEN}`) : named;
  return `${scheme.toLowerCase()}://${host}${shown}${query === undefined ? '' : `?${HIDDEN}`}`;
}

function isRtmp(scheme: string): boolean {
  return /^rtmp/i.test(scheme);
}

/** Longer texts are cut: the search for secrets must not take long. */
const MAX_TEXT_CHARS = 10_000;
/** A URL up to a blank, or to the next URL. */
const WRITTEN_URL = /[a-z][a-z0-9+.-]{0,15}:\/\/(?:(?![a-z][a-z0-9+.-]{0,15}:\/\/)\S)*/gi;
/** A query without its URL, as in the line of a request. */
const WRITTEN_QUERY = /\?[^\s?=&]{1,100}=\S*/g;
const SECRET_NAME =
  '(?:pass(?:word|wd|phrase|w)?|pwd|psw|pas|token|secret|api[_-]?key|(?:stream|access|auth|private)[_-]?key|auth|sig|signature|credentials?)';
/** `&password=...`, `loginpas=...`, `access_token=...`. */
const NAMED_SECRET = new RegExp(`([\\w-]{0,40}${SECRET_NAME}=)[^\\s&]+`, 'gi');
/** Whether a text assigns a value to the name of a secret. */
export function namesSecret(text: string): boolean {
  return text.search(NAMED_SECRET) !== -1;
}

/** The same as JSON and as Node.js print it. */
const QUOTED_SECRET = new RegExp(
  `(\\b[\\w-]{0,40}${SECRET_NAME}["']?\\s{0,3}:\\s{0,3})(?:"(?:[^"\\\\]|\\\\.)*"?|'(?:[^'\\\\]|\\\\.)*'?|\`(?:[^\`\\\\]|\\\\.)*\`?)`,
  'gi',
);
/** Headers that consist of secrets; each ends with its line. */
const SECRET_HEADER = /\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s{0,3}[:=]\s{0,3})[^\r\n]+/gi;
/** Redis repeats the arguments of a command it refuses, and that command may be AUTH. */
const REPEATED_ARGUMENTS = /(with args beginning with: ?)[^\r\n]+/g;
/** `user:password@` before anything, even if no scheme marks it as a URL. */
const WRITTEN_CREDENTIALS = /(?<=^|[\s'"(<=])[^\s:/]*:(?!\/\/)\S+@(?=\S)/g;

/**
 * `text` with every URL in it made safe by {@link redactUrl}, and with anything else that looks like
 * credentials hidden.
 * @param secrets of the URL it is about, hidden wherever they occur: see {@link secretsOf}
 */
export function redactText(text: string, secrets: readonly string[] = []): string {
  // First: later rules would hide only a part of some.
  return secrets
    .reduce(hide, firstOf(text, MAX_TEXT_CHARS))
    .replace(SECRET_HEADER, `$1$2${HIDDEN}`)
    .replace(REPEATED_ARGUMENTS, `$1${HIDDEN}`)
    .replace(QUOTED_SECRET, `$1"${HIDDEN}"`)
    .replace(WRITTEN_URL, redactToken)
    .replace(WRITTEN_QUERY, withPunctuation(`?${HIDDEN}`))
    .replace(NAMED_SECRET, (token, name: string) => withPunctuation(name + HIDDEN)(token))
    .replace(WRITTEN_CREDENTIALS, `${HIDDEN}@`);
}

/** Shorter secrets occur in other text by chance: they are hidden only as separate tokens. */
const MIN_PART_CHARS = 4;

function hide(text: string, secret: string): string {
  if (secret.length >= MIN_PART_CHARS) return text.replaceAll(secret, HIDDEN);
  const literal = secret.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, 'gu'), HIDDEN);
}

/**
 * The parts of `url` to hide in messages of servers and programs, the longest first: the password, or the user if
 * there is none, the values of its query and of names in its path, the key of an RTMP stream; each encoded as in the URL and decoded.
 */
export function secretsOf(url: string): string[] {
  const [, scheme = '', userinfo = '', , rest = ''] = URL_PARTS.exec(url) ?? [];
  const [, path = '', query = '', fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(rest) ?? [];
  const password = userinfo.replace(/^[^:]*:?/, '') || userinfo.replace(/:$/, '');
  const values = [...query.split('&'), ...path.split(/[/&;]/)].map(
    (part) => /(?:=|%3d)(.*)$/is.exec(part)?.[1] ?? '',
  );
  const key = isRtmp(scheme) ? [path.replace(/^\/[^/]*\//, ''), ...path.split('/').slice(2)] : [];
  const written = [
    ...(password === '' ? [] : [password]),
    ...[...values, ...key, fragment].filter(isLongEnough),
  ];
  return [...new Set(written.flatMap((secret) => [secret, decoded(secret)]))].sort(
    (one, other) => other.length - one.length,
  );
}

function isLongEnough(value: string): boolean {
  return value.length >= MIN_PART_CHARS;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The first `chars` of `text`, up to a blank: in a truncated URL it cannot be seen where the password ends. */
export function firstOf(text: string, chars: number): string {
  if (text.length <= chars) return text;
  let end = chars;
  while (end > 0 && /\S/.test(text.charAt(end))) end--;
  return text.slice(0, end);
}

/** The last `chars` of `text`, starting at a blank: in a truncated URL it cannot be seen where the password begins. */
export function lastOf(text: string, chars: number): string {
  return text.length <= chars ? text : text.slice(-chars - 1).replace(/^\S*\s?/, '');
}

/** Punctuation that may follow a URL in a sentence. */
const PUNCTUATION = `'")>].,:;!|…`;

/** The end of a token whose value is hidden already: the mark is not punctuation. */
const HIDDEN_VALUE = new RegExp(`(?:[?=]|%3d)${HIDDEN}$`, 'i');

/** Where the punctuation after a token begins. */
function endOf(token: string): number {
  let end = token.length;
  while (end > 0 && PUNCTUATION.includes(token.charAt(end - 1)) && !HIDDEN_VALUE.test(token.slice(0, end)))
    end--;
  return end;
}

/** Replaces a token by `shown`, keeping the punctuation after it. */
function withPunctuation(shown: string): (token: string) => string {
  return (token) => shown + token.slice(endOf(token));
}

/** A URL as it appears in a sentence, with the punctuation after it. */
function redactToken(token: string): string {
  if (!/[@?#=]|%3d|^rtmp/i.test(token)) return token;
  const end = endOf(token);
  const [url, tail] = [token.slice(0, end), token.slice(end)];
  // A scheme alone, as sentences about URLs name it.
  if (url.endsWith('://')) return token;
  const bracket = url.includes('[') && !url.includes(']') && tail.startsWith(']') ? ']' : '';
  return redactUrl(url + bracket) + tail.slice(bracket.length);
}
