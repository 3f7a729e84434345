/** How long a feed may stay silent, as pure functions of what it has sent. */
import type { CameraSource, CameraSpec } from '../../../config/topology';
import type { FaultRecord } from '../../../fault/fault';
import { unopenedFault, udpBlockedFault } from '../feed/fault';
import { feedName } from '../../../config/feed-name';
import type { RtspAnswer } from '../rtsp/answer';
import type { SamplePlan } from '../sampling/sample-plan';

/** Fewer periods or intervals without data than this are not a stall, whatever `stallMs` is. */
const MIN_STALL_INTERVALS = 3;
/** Milliseconds the first UDP packet may take after the stream was described, if TCP can be tried instead. */
const UDP_PATIENCE_MS = 5000;

const WITHOUT_KEYFRAMES =
  'set "sampling" to "auto" and "format" to "jpeg", or a keyframe interval in the camera';
const REFRESHES =
  'refreshes its pictures little by little (intra refresh) and sends no keyframes; set "sampling" to "auto" and "format" to "jpeg", or switch that off in the camera';

/** Observations of one opening of a feed; milliseconds of a clock that is never set. */
export interface Seen {
  readonly startedMs: number;
  lastPacketMs?: number;
  lastPictureMs?: number;
  /** When the newest keyframe came. */
  lastKeyMs?: number;
  /** The feed refreshes its pictures gradually (intra refresh). */
  refreshes?: true;
  /** An RTSP camera's answer before it was opened. */
  answer?: RtspAnswer;
}

export interface Deadline {
  readonly sinceMs: number;
  readonly limitMs: number;
  /** The fault if the deadline passes. */
  readonly fault: FaultRecord;
}

type Measured = Pick<SamplePlan, 'packetMs' | 'keyIntervalMs'>;

/** The deadline that passes first. */
export function firstDeadline(camera: CameraSpec, plan: Measured, seen: Seen): Deadline {
  const { lastPacketMs, lastPictureMs } = seen;
  if (lastPacketMs === undefined || lastPictureMs === undefined) return openingDeadline(camera, plan, seen);
  const packets = { sinceMs: lastPacketMs, limitMs: packetLimitMs(camera, plan) };
  const pictures = { sinceMs: lastPictureMs, limitMs: pictureLimitMs(camera, plan) };
  // If packets ceased before the next picture was due, the silence is the fault, and it is found as soon.
  const fellSilent = lastPacketMs - lastPictureMs < pictures.limitMs / MIN_STALL_INTERVALS;
  return fellSilent || packets.sinceMs + packets.limitMs <= pictures.sinceMs + pictures.limitMs
    ? { ...packets, fault: stalledFault(camera, packets.limitMs) }
    : { ...pictures, fault: pictureFault(camera, seen, pictures.limitMs) };
}

/** The fault of a feed whose packets arrive but yield no pictures. */
function pictureFault(
  camera: CameraSpec,
  { lastKeyMs, lastPictureMs = 0 }: Seen,
  limitMs: number,
): FaultRecord {
  const [name, within] = [feedName(camera.source), `for ${limitMs} ms`];
  const isAskedForKeyframes = camera.format === 'keyframe' || camera.sampling === 'keyframes';
  if (isAskedForKeyframes && (lastKeyMs === undefined || lastKeyMs <= lastPictureMs))
    return {
      code: 'no-keyframe',
      message: `${name} sent video, but no keyframe, ${within}; ${WITHOUT_KEYFRAMES}`,
    };
  return { code: 'no-pictures', message: `${name} sent data, but nothing that became a picture, ${within}` };
}

/** The fault of a silent feed. If only keyframes are requested, packets between them are not seen. */
function stalledFault({ source, format }: CameraSpec, limitMs: number): FaultRecord {
  const what = format === 'keyframe' ? `no keyframe for ${limitMs} ms` : `nothing for ${limitMs} ms`;
  return { code: 'stalled', message: `${feedName(source)} sent ${what}` };
}

/** The deadline that applies until the first picture. */
function openingDeadline(camera: CameraSpec, plan: Measured, seen: Seen): Deadline {
  const { source, connectMs } = camera;
  const { startedMs, lastPacketMs, lastKeyMs, refreshes, answer } = seen;
  if (lastPacketMs === undefined) {
    const patienceMs = mayTryTcp(source) ? udpPatienceMs(connectMs, answer) : undefined;
    if (patienceMs !== undefined && patienceMs < connectMs)
      return { sinceMs: startedMs, limitMs: patienceMs, fault: udpBlockedFault(source) };
    return { sinceMs: startedMs, limitMs: connectMs, fault: unopenedFault(source, answer, connectMs) };
  }
  const silentMs = packetLimitMs(camera, plan);
  if (startedMs + connectMs - lastPacketMs >= silentMs)
    return { sinceMs: startedMs, limitMs: connectMs, fault: stalledFault(camera, silentMs) };
  const [name, within] = [feedName(source), `within ${connectMs} ms of being opened`];
  const fault =
    lastKeyMs !== undefined
      ? {
          code: 'no-pictures',
          message: `${name} sent keyframes, but none that became a picture ${within}; try another codec or profile in the camera`,
        }
      : {
          code: 'no-keyframe',
          message:
            refreshes === true ? `${name} ${REFRESHES}` : `${name} sent video, but no keyframe ${within}`,
        };
  return { sinceMs: startedMs, limitMs: connectMs, fault };
}

/** How long the first UDP packet may take: a camera that was slow to describe its stream is slow again. */
function udpPatienceMs(connectMs: number, answer: RtspAnswer | undefined): number {
  if (answer?.kind === 'described') return UDP_PATIENCE_MS + 2 * Math.round(answer.afterMs);
  return answer?.kind === 'unanswered' ? Math.max(UDP_PATIENCE_MS, connectMs / 2) : UDP_PATIENCE_MS;
}

function packetLimitMs({ format, stallMs, connectMs }: CameraSpec, { packetMs }: Measured): number {
  // If only keyframes are requested, the second may be far off.
  if (format === 'keyframe' && packetMs === 0) return Math.max(stallMs, connectMs);
  return Math.max(stallMs, Math.ceil(MIN_STALL_INTERVALS * packetMs));
}

function pictureLimitMs({ stallMs, periodMs, connectMs }: CameraSpec, { keyIntervalMs }: Measured): number {
  // Until two keyframes have arrived, the second may take as long as the first was allowed to.
  const keyframesMs = keyIntervalMs === undefined ? connectMs : MIN_STALL_INTERVALS * keyIntervalMs;
  return Math.max(stallMs, MIN_STALL_INTERVALS * periodMs, Math.ceil(keyframesMs));
}

/** UDP is being tried, and TCP is still available. */
function mayTryTcp(source: CameraSource): boolean {
  return source.kind === 'stream' && source.orTcp === true && source.transport === 'udp';
}
