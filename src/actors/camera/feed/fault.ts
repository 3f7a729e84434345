/** Why a feed fails, in plain text for operators, derived from ffmpeg's messages and from the context. */
import { feedName } from '../../../config/feed-name';
import type { CameraSource } from '../../../config/topology';
import {
  CLOSED,
  CLOSED_DESCRIBED,
  ENDLESS,
  LATE,
  NO_ANSWER,
  NO_SIZE,
  NO_VIDEO,
  RULES,
  VAGUE,
  WIDE_JPEG,
  type Sentence,
} from './open-rules';
import { lastLine } from '../ffmpeg/last-line';
import type { RtspAnswer } from '../rtsp/answer';
import { redactText, redactUrl, secretsOf } from '../../../url/redact';
import type { FaultRecord } from '../../../fault/fault';

const UNCONNECTED: Sentence = {
  code: 'timeout',
  sentence: 'does not answer in time; check the address, and that nothing between blocks it',
};
const UDP_BLOCKED: Sentence = {
  code: 'udp-blocked',
  sentence:
    'answers, but none of its UDP packets arrives; let UDP through between it and this machine, or set "transport" to "tcp" or "auto"',
};

/** Sentences for a missed deadline; each follows "<where> " and is followed by the deadline. */
const SILENT = {
  unanswered: 'accepts the connection and does not answer',
  described: 'describes its stream and sends nothing of it',
  unknown: 'gave no picture',
} as const;

/** setpriv could not run ffmpeg, which is not the feed's fault. */
const NOT_RUN = /^setpriv: (?:failed to execute|cannot execute) .*/m;

/** What is known about an opening besides ffmpeg's messages. */
export interface Opened {
  /** An RTSP camera's earlier answer. */
  readonly answer?: RtspAnswer | undefined;
  /** ffmpeg ended before it can have examined enough: its input had ended. */
  readonly cut?: boolean;
}

/** Why ffmpeg gave up a feed before its first packet, from what it wrote on standard error. */
export function openFault(source: CameraSource, stderr: string, opened: Opened = {}): FaultRecord {
  const notRun = NOT_RUN.exec(stderr);
  if (notRun !== null) return { code: 'ffmpeg', message: `ffmpeg could not be started (${notRun[0]})` };
  const said = redactText(stderr);
  // ffmpeg repeats the URL in its messages, and text within it must not be matched.
  const named = source.kind === 'file' ? said.replaceAll(source.path, '') : said;
  const unnamed = named.replace(/[a-z][a-z0-9+.-]*:\/\/\S*/gi, '');
  // ffmpeg 7 leaves the blank out: "method SETUP failed: 461Unsupported Transport".
  const output = unnamed.replace(/(method \w+ failed: \d{3})(?=\S)/g, '$1 ');
  const rules = isRtsp(source) ? [WIDE_JPEG, ...RULES] : RULES;
  const rule = rules.find(({ pattern }) => pattern.test(output));
  if (rule?.code === 'unauthorized') return unauthorizedFault(source);
  const name = feedName(source);
  if (rule !== undefined && !VAGUE.has(rule.code))
    return { code: rule.code, message: `${name} ${rule.sentence}` };
  const noVideo = tracksFault(source, opened.answer);
  if (noVideo !== undefined) return noVideo;
  const late = source.kind === 'stream' ? LATE.find(({ pattern }) => pattern.test(output)) : undefined;
  const vague = closedRule(source, output, opened) ?? late ?? rule;
  if (vague !== undefined) {
    const isRight = vague.code === CLOSED.code && opened.answer?.kind === 'described';
    const { code, sentence } = isRight ? CLOSED_DESCRIBED : vague;
    return { code, message: `${name} ${sentence}` };
  }
  const last = lastLine(redactText(stderr, secretsOf(urlOf(source))));
  return { code: 'failed', message: `${name} could not be opened; ffmpeg said: ${last || '(nothing)'}` };
}

/** The sentence for a closed connection that shows only in its consequences; undefined if the connection was not closed. */
function closedRule(source: CameraSource, output: string, { answer, cut }: Opened): Sentence | undefined {
  const overRtsp = isRtsp(source);
  // ffmpeg never recognizes a track of an unknown codec as video, and over RTSP it is given no other track.
  const isCut = cut === true && (NO_SIZE.test(output) || (!overRtsp && NO_VIDEO.test(output)));
  const wasAsked = overRtsp && (answer?.kind === 'described' || answer?.kind === 'unreached');
  const isUnanswered = wasAsked && NO_ANSWER.test(output) && !NO_VIDEO.test(output) && !NO_SIZE.test(output);
  return isCut || isUnanswered ? CLOSED : undefined;
}

/** Why a feed delivered nothing by its deadline, from what an RTSP camera answered before it was opened. */
export function unopenedFault(
  source: CameraSource,
  answer: RtspAnswer | undefined,
  limitMs: number,
): FaultRecord {
  const name = feedName(source);
  const within = `within ${limitMs} ms of being opened`;
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

/** The camera keeps redirecting. */
export function redirectionFault(source: CameraSource, to: string): FaultRecord {
  const shown = redactUrl(to);
  const message = `${feedName(source)} redirects again and again, at last to ${shown}; put the address of its stream into "url"`;
  return { code: 'redirect', message };
}

/** ffmpeg itself failed, which proves nothing about the feed. */
export function crashFault(source: CameraSource, signal: NodeJS.Signals): FaultRecord {
  return {
    code: 'ffmpeg',
    message: `ffmpeg crashed (${signal}) while it read ${feedName(source)}; set "ffmpeg" in actors.json to another one`,
  };
}

/** Why ffmpeg ended a feed that had delivered packets, from its standard error, which is mostly empty. */
export function endFault(source: CameraSource, stderr: string): FaultRecord {
  const { code, sentence } = ENDLESS.pattern.test(stderr) ? ENDLESS : { code: 'ended', sentence: 'ended' };
  return { code, message: `${feedName(source)} ${sentence}` };
}

/** Nothing came over UDP. */
export function udpBlockedFault(source: CameraSource): FaultRecord {
  return { code: UDP_BLOCKED.code, message: `${feedName(source)} ${UDP_BLOCKED.sentence}` };
}

/** Empty if there is none. */
function urlOf(source: CameraSource): string {
  return 'url' in source ? source.url : '';
}

function isRtsp(source: CameraSource): boolean {
  return source.kind === 'stream' && /^rtsps?:/.test(source.url);
}

/** The camera refused the password, or none is configured. */
function unauthorizedFault(source: CameraSource): FaultRecord {
  const given = source.kind !== 'stream' || /^[a-z]+:\/\/[^/?#@]*@/.test(source.url);
  const what = given
    ? 'refused the user name or password; check "username" and "password" of this camera'
    : 'asks for a user name and password, and none is given; set "username" and "password" of this camera';
  return { code: 'unauthorized', message: `${feedName(source)} ${what}` };
}

/** The fault of an RTSP camera that describes no video track; undefined for any other. */
function tracksFault(source: CameraSource, answer: RtspAnswer | undefined): FaultRecord | undefined {
  if (answer?.kind !== 'described' || answer.described.tracks.includes('video')) return undefined;
  const tracks = [...new Set(answer.described.tracks)].join(' and ') || 'nothing';
  const message = `${feedName(source)} describes ${tracks} and no video; check the path of the URL, and that the camera's video is on`;
  return { code: 'not-a-stream', message };
}
