/** Messages about a failing HLS feed, in plain text for operators; they contain no more of a URL than may be shown. */
import { redactText } from '../../../url/url';
import type { CameraSource } from '../../../config/topology';
import { Fault, type FaultRecord } from '../../../fault/fault';
import { openFault } from '../feed/fault';
import { feedName } from '../../../config/feed-name';
import { FetchError } from './fetch-error';

/** ffmpeg found a video track without a size: there was no keyframe in what it examined. */
const NO_KEYFRAME = /dimensions not set|unspecified size/;
const LOOK_AT_ITS_MAKER = 'look at what makes it: the camera, or its encoder';
/** Codes of errors for which feed/open-rules.ts has no text; their messages follow the feed's name. */
const OWN_MESSAGES: ReadonlySet<string> = new Set([
  'redirects',
  'forbidden-host',
  'too-large',
  'tls-untrusted',
]);
const SEGMENTS: Readonly<Record<string, string>> = {
  'not-found': `has a playlist, but not the segments it lists (404); ${LOOK_AT_ITS_MAKER}`,
  encrypted: 'encrypts its segments in a way that cannot be read here; set it to AES-128, or to none',
  'bad-key': `encrypts its segments, and gives keys that do not fit them; ${LOOK_AT_ITS_MAKER}`,
  empty: `lists segments that are empty; ${LOOK_AT_ITS_MAKER}`,
};

/**
 * Why a feed's playlist cannot be fetched or read. An error that is not a fault of the feed is returned
 * unchanged.
 */
export function playlistFault(source: CameraSource, error: unknown): Error {
  if (error instanceof FetchError) return Fault.from(fetchFault(source, error));
  return error instanceof Fault && error.code === 'bad-playlist'
    ? new Fault(error.code, `${feedName(source)}: ${error.message}`)
    : (error as Error);
}

/** Why a segment cannot be fetched. */
export function segmentFault(source: CameraSource, error: FetchError): FaultRecord {
  const sentence = SEGMENTS[error.code];
  return sentence === undefined ? fetchFault(source, error) : told(source, error.code, sentence);
}

/** Why segments yield no video, from ffmpeg's standard error. */
export function barrenFault(source: CameraSource, stderr: string): FaultRecord {
  return NO_KEYFRAME.test(stderr)
    ? told(source, 'no-keyframe', 'sent video, but no keyframe in its segments')
    : openFault(source, redactText(stderr));
}

export function notGrowingFault(source: CameraSource): FaultRecord {
  return told(source, 'stalled', `lists no new segments in its playlist; ${LOOK_AT_ITS_MAKER}`);
}

export function endedFault(source: CameraSource): FaultRecord {
  return told(source, 'ended', 'has ended: its playlist is closed (EXT-X-ENDLIST)');
}

export function soundOnlyFault(source: CameraSource): FaultRecord {
  return told(source, 'no-video', 'offers sound only; give the URL of a playlist with video');
}

function fetchFault(source: CameraSource, { code, message }: FetchError): FaultRecord {
  return OWN_MESSAGES.has(code) ? told(source, code, message) : openFault(source, message);
}

function told(source: CameraSource, code: string, sentence: string): FaultRecord {
  return { code, message: `${feedName(source)} ${sentence}` };
}
