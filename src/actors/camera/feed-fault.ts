/** What ffmpeg says when a feed fails, in a person's words. The rules are a table, tried in order. */
import type { CameraSource } from '../../config/topology';
import { MAX_RECEIVED_BYTES } from './ffmpeg-arguments';
import type { RtspAnswer } from './rtsp/question';
import { redactText, redactUrl } from '../../config/url';
import type { FaultRecord } from '../../protocol/fault';

interface Sentence {
  readonly code: string;
  /** Follows "<where> ". */
  readonly sentence: string;
}

interface Rule extends Sentence {
  readonly pattern: RegExp;
}

/** ffmpeg was refused the memory for a picture: see MAX_RECEIVED_BYTES. */
const ENDLESS: Rule = {
  pattern: /Cannot allocate memory|Failed to reallocate parser buffer/,
  code: 'picture-too-large',
  sentence: `sends a picture of more than ${String(MAX_RECEIVED_BYTES / 2 ** 20)} MiB, or one without an end; set the camera to smaller pictures, and see that this machine has memory left`,
};
/** RTP has eight bits for the width of a JPEG, in blocks of eight pixels (RFC 2435, 3.1.5). */
const WIDE_JPEG: Rule = {
  pattern: /\[mjpeg @ .*Picture size 0x0 is invalid/,
  code: 'picture-too-wide',
  sentence:
    'sends JPEG pictures without their size, as RTP cannot carry one above 2040 pixels; set it to a smaller resolution or to H.264, or give the URL of its MJPEG over HTTP',
};
const CLOSED =
  'closed the connection before a picture came; check that the URL is that of a stream, and that no other client holds the camera';
/** Codes of words that may only mean that ffmpeg looked at too little. */
const VAGUE: ReadonlySet<string> = new Set(['not-a-stream', 'closed']);
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
    sentence: 'returned a server error (5xx); look at the camera itself, or at the server between',
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
    sentence: CLOSED,
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

/** What ffmpeg says when it looked at too little of a feed, or when there is no more: of a video track without its size, or of none. */
const LATE: readonly Rule[] = [
  {
    pattern: /dimensions not set/,
    code: 'video-late',
    sentence:
      'describes video, and sent too little of it to tell its size; look whether other clients hold the camera, and raise "connectMs" if its video begins late',
  },
  {
    pattern: /matches no streams/,
    code: 'video-late',
    sentence:
      'answers, but no video was in what it sent; check that the URL is that of a stream with video, and raise "connectMs" if its video begins late',
  },
];
const UNCONNECTED: Sentence = {
  code: 'timeout',
  sentence: 'does not answer in time; check the address, and that nothing between blocks it',
};
const UDP_BLOCKED: Sentence = {
  code: 'udp-blocked',
  sentence:
    'answers, but none of its UDP packets arrives; let UDP through between it and this machine, or set "transport" to "tcp" or "auto"',
};

/** Nothing came by its deadline; each follows "<where> " and is followed by the deadline. */
const SILENT = {
  unanswered: 'accepts the connection and does not answer',
  described: 'describes its stream and sends nothing of it',
  unknown: 'gave no picture',
} as const;

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
 * Why ffmpeg gave up a feed before its first packet, from what it wrote on standard error.
 * @param answer what an RTSP camera answered before
 */
export function openFault(source: CameraSource, stderr: string, answer?: RtspAnswer): FaultRecord {
  const notRun = NOT_RUN.exec(stderr);
  if (notRun !== null) return { code: 'ffmpeg', message: `ffmpeg could not be started (${notRun[0]})` };
  const said = redactText(stderr);
  // The URL is repeated in the text, and its words are not ffmpeg's.
  const named = source.kind === 'file' ? said.replaceAll(source.path, '') : said;
  const words = named.replace(/[a-z][a-z0-9+.-]*:\/\/\S*/gi, '');
  const rules = isRtsp(source) ? [WIDE_JPEG, ...RULES] : RULES;
  const rule = rules.find(({ pattern }) => pattern.test(words));
  if (rule?.code === 'unauthorized') return unauthorizedFault(source);
  const name = feedName(source);
  const noVideo = tracksFault(source, answer);
  if (noVideo !== undefined && (rule === undefined || VAGUE.has(rule.code))) return noVideo;
  const late = source.kind === 'stream' ? LATE.find(({ pattern }) => pattern.test(words)) : undefined;
  if (late !== undefined && (rule === undefined || VAGUE.has(rule.code)))
    return { code: late.code, message: `${name} ${late.sentence}` };
  if (rule !== undefined) return { code: rule.code, message: `${name} ${rule.sentence}` };
  const last = (said.trim().split('\n').at(-1) ?? '').slice(0, 200);
  return { code: 'failed', message: `${name} could not be opened; ffmpeg said: ${last || '(nothing)'}` };
}

/** Why a feed gave nothing by its deadline, from what an RTSP camera answered before it was opened. */
export function unopenedFault(
  source: CameraSource,
  answer: RtspAnswer | undefined,
  limitMs: number,
): FaultRecord {
  const name = feedName(source);
  const within = `within ${String(limitMs)} ms of being opened`;
  const slow = 'raise "connectMs" if it is slow';
  switch (answer?.kind) {
    case 'unconnected':
      return { code: UNCONNECTED.code, message: `${name} ${UNCONNECTED.sentence}` };
    case 'unanswered':
      return {
        code: 'silent',
        message: `${name} ${SILENT.unanswered} ${within}; ${slow}; else look for other clients that hold it, or restart the camera`,
      };
    case 'described': {
      if (source.kind === 'stream' && source.transport === 'udp') return udpBlockedFault(source);
      const without = tracksFault(source, answer);
      if (without !== undefined) return without;
      return {
        code: 'silent',
        message: `${name} ${SILENT.described} ${within}; ${slow}; else look for other clients that hold it, or restart the camera`,
      };
    }
    case 'guarded':
    case 'refused':
    case 'unreached':
    case 'other':
    case undefined:
      return {
        code: 'no-picture',
        message: `${name} ${SILENT.unknown} ${within}; ${slow}, and check that the URL is that of a stream`,
      };
  }
}

/** A camera that goes on redirecting. */
export function redirectionFault(source: CameraSource, to: string): FaultRecord {
  const shown = redactUrl(to);
  const message = `${feedName(source)} redirects again and again, at last to ${shown}; put the address of its stream into "url"`;
  return { code: 'redirect', message };
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

function isRtsp(source: CameraSource): boolean {
  return source.kind === 'stream' && /^rtsps?:/.test(source.url);
}

/** The password was refused, or none was given. */
function unauthorizedFault(source: CameraSource): FaultRecord {
  const given = source.kind !== 'stream' || /^[a-z]+:\/\/[^/?#@]*@/.test(source.url);
  const what = given
    ? 'refused the user name or password; check "username" and "password" of this camera'
    : 'asks for a user name and password, and none is given; set "username" and "password" of this camera';
  return { code: 'unauthorized', message: `${feedName(source)} ${what}` };
}

/** An RTSP camera describes tracks, and none of them is video. */
function tracksFault(source: CameraSource, answer: RtspAnswer | undefined): FaultRecord | undefined {
  if (answer?.kind !== 'described' || answer.described.tracks.includes('video')) return undefined;
  const tracks = [...new Set(answer.described.tracks)].join(' and ') || 'nothing';
  const message = `${feedName(source)} describes ${tracks} and no video; check the path of the URL, and that the camera's video is on`;
  return { code: 'not-a-stream', message };
}
