/** What ffmpeg says when a feed fails, in a person's words. The rules are a table, tried in order. */
import type { CameraSource } from '../../config/topology';
import { MAX_RECEIVED_BYTES, NETWORK_TIMEOUT_MS } from './ffmpeg-arguments';
import { redactText, redactUrl } from '../../config/url';
import type { FaultRecord } from '../../protocol/fault';

interface Rule {
  readonly pattern: RegExp;
  readonly code: string;
  /** Follows "<where> ". */
  readonly sentence: string;
}

/** ffmpeg was refused the memory for a picture: see MAX_RECEIVED_BYTES. */
const ENDLESS: Rule = {
  pattern: /Cannot allocate memory|Failed to reallocate parser buffer/,
  code: 'picture-too-large',
  sentence: `sends a picture of more than ${String(MAX_RECEIVED_BYTES / 2 ** 20)} MiB, or one without an end; restart the camera, and see that this machine has memory left`,
};
const RULES: readonly Rule[] = [
  ENDLESS,
  {
    pattern: /401 Unauthorized|403 Forbidden|authorization failed|access denied|\b40[13] \(/i,
    code: 'unauthorized',
    sentence: 'refused the user name or password; check "username" and "password" of this camera',
  },
  {
    pattern: /404 Not Found|Stream not found/i,
    code: 'not-found',
    sentence: 'answers, but has no stream of that path (404); check the path of the URL',
  },
  {
    pattern: /453 Not Enough Bandwidth|503 Service Unavailable|too many/i,
    code: 'too-many-sessions',
    sentence:
      'has no room for another viewer; close other clients of this camera: some serve only one at a time',
  },
  {
    pattern: /461 Unsupported Transport/i,
    code: 'transport',
    sentence: 'does not offer this transport; set "transport" to "auto", or to the other of "tcp" and "udp"',
  },
  {
    pattern: /5XX Server Error|\b50\d /i,
    code: 'server-error',
    sentence: 'answers that it failed; look at the camera itself',
  },
  {
    pattern: /4XX Client Error|400 Bad Request|method \w+ failed: 4\d\d /i,
    code: 'rejected',
    sentence:
      'does not accept the request; check path and query of the URL, and that no other client holds the camera',
  },
  {
    pattern: /Connection refused/i,
    code: 'refused',
    sentence: 'refuses connections; check the port, and that the camera serves this protocol',
  },
  {
    pattern: /No route to host|Network is unreachable|Host is unreachable/i,
    code: 'unreachable',
    sentence: 'cannot be reached; check the address and the network',
  },
  {
    pattern: /Failed to resolve|Name or service not known|Temporary failure in name resolution/i,
    code: 'unknown-host',
    sentence: 'has a name that cannot be resolved; check the host in the URL',
  },
  {
    pattern: /timed out|ETIMEDOUT/i,
    code: 'timeout',
    sentence: 'does not answer in time; check the address, and that nothing between blocks it',
  },
  {
    pattern: /\bTLS\b|\bSSL\b|certificate/i,
    code: 'tls',
    sentence: 'cannot be spoken to over TLS; check that it serves the encrypted protocol on this port',
  },
  {
    pattern: /Connection reset|Broken pipe|End of file/i,
    code: 'closed',
    sentence:
      'closed the connection before a picture came; check that the URL is that of a stream, and that no other client holds the camera',
  },
  { pattern: /No such file or directory/i, code: 'no-file', sentence: 'does not exist; check the path' },
  {
    pattern: /Permission denied/i,
    code: 'no-permission',
    sentence: 'may not be read by this user; check its permissions',
  },
  {
    pattern: /Decoder .*not found|Unsupported codec|unknown codec/i,
    code: 'unsupported-codec',
    sentence: 'sends video in a format this ffmpeg cannot decode; set the camera to H.264, H.265 or MJPEG',
  },
  {
    pattern: /Invalid data found|matches no streams|could not find codec|Invalid argument/i,
    code: 'not-a-stream',
    sentence:
      'answers, but not with video; check that the URL is that of a stream, and that the camera sends H.264, H.265 or MJPEG',
  },
];

/** What ffmpeg says when the stream was described and no packet of it came: it found no size. */
const DESCRIBED_ONLY = /dimensions not set/;

const SILENT: Omit<Rule, 'pattern'> = {
  code: 'silent',
  sentence: 'accepts the connection and sends nothing; restart the camera, and look for clients that hold it',
};
const UDP_BLOCKED: Omit<Rule, 'pattern'> = {
  code: 'udp-blocked',
  sentence:
    'answers, but none of its UDP packets arrives; let UDP through between it and this machine, or set "transport" to "tcp" or "auto"',
};

/** A program that could not be run is not the feed's fault. */
const NOT_RUN = /^setpriv: (?:failed to execute|cannot execute) .*/m;

/** The feed's name in sentences: never with credentials. */
export function feedName(source: CameraSource): string {
  switch (source.kind) {
    case 'stream':
    case 'still':
      return redactUrl(source.url);
    case 'file':
      return `file ${source.path}`;
    case 'test':
      return `test picture ${source.pattern}`;
  }
}

/**
 * Why ffmpeg gave up a feed before its first picture, from what it wrote on standard error.
 * @param elapsedMs how long it had tried: after a time-out it blames the data that never came
 */
export function openFault(source: CameraSource, stderr: string, elapsedMs = 0): FaultRecord {
  const notRun = NOT_RUN.exec(stderr);
  if (notRun !== null) return { code: 'ffmpeg', message: `ffmpeg could not be started (${notRun[0]})` };
  const said = redactText(stderr);
  // The URL is repeated in the text, and its words are not ffmpeg's.
  const named = source.kind === 'file' ? said.replaceAll(source.path, '') : said;
  const words = named.replace(/[a-z][a-z0-9+.-]*:\/\/\S*/gi, '');
  const rule = silence(source, words, elapsedMs) ?? RULES.find(({ pattern }) => pattern.test(words));
  if (rule !== undefined) return { code: rule.code, message: `${feedName(source)} ${rule.sentence}` };
  const last = (said.trim().split('\n').at(-1) ?? '').slice(0, 200);
  return {
    code: 'failed',
    message: `${feedName(source)} could not be opened; ffmpeg said: ${last || '(nothing)'}`,
  };
}

/** ffmpeg itself failed, which says nothing about the feed. */
export function crashFault(source: CameraSource, signal: NodeJS.Signals): FaultRecord {
  return {
    code: 'ffmpeg',
    message: `ffmpeg crashed (${signal}) while it read ${feedName(source)}; set "ffmpeg" in actors.json to another one`,
  };
}

/** Why ffmpeg ended a feed that had given packets, from what it wrote on standard error: mostly nothing. */
export function endFault(source: CameraSource, stderr: string): FaultRecord {
  const { code, sentence } = ENDLESS.pattern.test(stderr) ? ENDLESS : { code: 'ended', sentence: 'ended' };
  return { code, message: `${feedName(source)} ${sentence}` };
}

/** Why a decoder ended, from what it wrote on standard error. The sentence is without its subject. */
export function decodeFault(codec: string, stderr: string): FaultRecord {
  const toDo = 'set the camera to H.264, H.265 or MJPEG';
  if (/Unknown decoder|Decoder .*not found/i.test(stderr))
    return {
      code: 'unsupported-codec',
      message: `its ${codec} video is in a format this ffmpeg cannot decode; ${toDo}`,
    };
  const last = (redactText(stderr).trim().split('\n').at(-1) ?? '').slice(0, 200);
  return {
    code: 'undecodable',
    message: `its ${codec} video cannot be decoded; ffmpeg said: ${last || '(nothing)'}`,
  };
}

/** Why the hardware does not decode: its first words name the cause, the last only that it failed. */
export function hardwareFault(hwaccel: string, stderr: string): FaultRecord {
  const lines = redactText(stderr)
    .split('\n')
    .map((line) => line.replace(/^\[[^\]]*\] /, '').trim())
    .filter((line) => line !== '');
  const said = lines.slice(0, 2).join(' ').slice(0, 200);
  return { code: 'hwaccel', message: `${hwaccel} does not start: ffmpeg said: ${said || '(nothing)'}` };
}

/** Nothing came over UDP. */
export function udpBlockedFault(source: CameraSource): FaultRecord {
  return { code: UDP_BLOCKED.code, message: `${feedName(source)} ${UDP_BLOCKED.sentence}` };
}

/** The feed was reached, and nothing of it came. */
function silence(source: CameraSource, words: string, elapsedMs: number): Omit<Rule, 'pattern'> | undefined {
  if (source.kind !== 'stream') return undefined;
  const described = DESCRIBED_ONLY.test(words);
  if (described && source.transport === 'udp' && source.url.startsWith('rtsp:')) return UDP_BLOCKED;
  const waited = elapsedMs >= NETWORK_TIMEOUT_MS && /^\s*$|Invalid data found/.test(words);
  return described || waited ? SILENT : undefined;
}
