/** Messages ffmpeg writes when a feed cannot be opened, and their translation for operators: tables, tried in order. */
import { MAX_RECEIVED_BYTES } from '../ffmpeg/invocation';

export interface Sentence {
  readonly code: string;
  /** Follows "<where> ". */
  readonly sentence: string;
}

export interface Rule extends Sentence {
  readonly pattern: RegExp;
}

/** ffmpeg could not allocate memory for a picture: see MAX_RECEIVED_BYTES. */
export const ENDLESS: Rule = {
  pattern: /Cannot allocate memory|Failed to reallocate parser buffer/,
  code: 'picture-too-large',
  sentence: `sends a picture of more than ${MAX_RECEIVED_BYTES / 2 ** 20} MiB, or one without an end; set the camera to smaller pictures, and see that this machine has memory left`,
};
/** RTP states the width of a JPEG in eight bits, in blocks of eight pixels (RFC 2435, 3.1.5). */
export const WIDE_JPEG: Rule = {
  pattern: /\[mjpeg @ .*Picture size 0x0 is invalid/,
  code: 'picture-too-wide',
  sentence:
    'sends JPEG pictures without their size, as RTP cannot carry one above 2040 pixels; set it to a smaller resolution or to H.264, or give the URL of its MJPEG over HTTP',
};
/** A closed connection for which ffmpeg has no message. */
export const CLOSED: Sentence = {
  code: 'closed',
  sentence:
    'closed the connection before a picture came; check that the URL is that of a stream, and that no other client holds the camera',
};
/** The same for a camera that had described video: its URL is right. */
export const CLOSED_DESCRIBED: Sentence = {
  code: 'closed',
  sentence:
    'describes video, and closed the connection before a picture came; if it does so again and again, look for other clients that hold the camera',
};
/** ffmpeg found no video in its input; if the input had ended, that proves nothing about the feed. */
export const NO_VIDEO = /matches no streams/;
export const NO_SIZE = /dimensions not set/;
/** A request was not answered; after an answer, other messages accompany these. */
export const NO_ANSWER = /Invalid data found|Operation not permitted/;
/** Codes whose messages may only mean that ffmpeg examined too little. */
export const VAGUE: ReadonlySet<string> = new Set(['not-a-stream', 'closed']);
export const RULES: readonly Rule[] = [
  ENDLESS,
  // First of all: ffmpeg lists what it may open, and that list contains text of other rules.
  {
    pattern: /Protocol '[^'\n]*' not on whitelist|Unsafe file name/,
    code: 'leads-elsewhere',
    sentence:
      'answers with a list of other addresses, of a kind that is not followed from here; give the URL of the video itself',
  },
  {
    pattern: /Format not on whitelist/,
    code: 'unsupported-container',
    sentence:
      'is in a container that is not read here; set the camera to RTSP, or over HTTP to MPEG-TS, FLV, MP4, Matroska, HLS or MJPEG',
  },
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
    // Messages of GnuTLS and of OpenSSL, if ffmpeg verifies.
    pattern:
      /certificate (?:failed verification|verify failed)|verifying peer certificate|owner does not match/i,
    code: 'tls-untrusted',
    sentence:
      'has a certificate that is not trusted here; put it, or the certificate of its issuer, into the file that "ca" in "tls" of this camera names, and check the host in the URL',
  },
  {
    pattern: /\bTLS\b|\bSSL\b|certificate/i,
    code: 'tls',
    sentence: 'failed the TLS handshake; check that it serves the encrypted protocol on this port',
  },
  {
    pattern: /Connection reset|Broken pipe|End of file/i,
    ...CLOSED,
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

/**
 * ffmpeg's messages when it examined too little of a feed, or the feed has no more: a video track without its
 * size, or no track at all.
 */
export const LATE: readonly Rule[] = [
  {
    pattern: NO_SIZE,
    code: 'video-late',
    sentence:
      'describes video, but sent too little of it to determine its size; look whether other clients hold the camera, and raise "connectMs" if its video begins late',
  },
  {
    pattern: NO_VIDEO,
    code: 'video-late',
    sentence:
      'answers, but no video was in what it sent; check that the URL is that of a stream with video, and raise "connectMs" if its video begins late',
  },
];
