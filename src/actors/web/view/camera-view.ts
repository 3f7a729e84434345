/** What the API says of one camera, from what the daemon says of it. Pure. */
import type { ChildStatus, ConfiguredCamera } from '../../../supervisor/status';
import type { ApiCamera, ApiFault, CameraCondition } from '../api';

/** A picture that was captured, or confirmed, longer ago than this is no present one, milliseconds. */
const PRESENT_MS = 10_000;
const PRESENT_PERIODS = 3;

/** How old a camera's newest picture may be to be shown as its present one, milliseconds. */
export function presentMs(periodMs = 0): number {
  return Math.max(PRESENT_MS, PRESENT_PERIODS * periodMs);
}

/** @param known the fault its feed had last: while it connects again the daemon tells only the code */
export function cameraView(
  { id, enabled, tags = [], periodMs }: ConfiguredCamera,
  child: ChildStatus | undefined,
  known: ApiFault | undefined,
  appliedAtMs: number,
  nowMs: number,
): ApiCamera {
  const { delivered, heartbeat } = child ?? {};
  const facts = heartbeat?.facts ?? {};
  const { condition, since } = conditionOf({ enabled, periodMs, child, appliedAtMs, nowMs });
  const fault = condition === 'delivering' ? undefined : faultOf(child, known);
  const { capturedAtMs, width, height, format, lastAtMs } = delivered ?? {};
  const isPictured = capturedAtMs !== undefined && width !== undefined && height !== undefined;
  return {
    id,
    tags,
    condition,
    since,
    ...(fault === undefined ? {} : { fault }),
    rate: rounded(delivered?.perSecond ?? 0),
    wantedRate: periodMs === undefined ? 0 : rounded(1000 / periodMs),
    ...(isPictured ? { picture: { capturedAt: capturedAtMs, width, height, format: format ?? '' } } : {}),
    ...(lastAtMs === undefined ? {} : { confirmedAt: lastAtMs }),
    restarts: child?.restarts ?? 0,
    ...(typeof facts['codec'] === 'string' ? { codec: facts['codec'] } : {}),
    ...(typeof facts['sampling'] === 'string' ? { sampling: facts['sampling'] } : {}),
    ...(typeof facts['keyframeIntervalMs'] === 'number'
      ? { keyframeSeconds: facts['keyframeIntervalMs'] / 1000 }
      : {}),
    ...(typeof facts['clockSkewMs'] === 'number' ? { clockSkewMs: facts['clockSkewMs'] } : {}),
  };
}

interface Observed {
  readonly enabled: boolean;
  readonly periodMs: number | undefined;
  readonly child: ChildStatus | undefined;
  readonly appliedAtMs: number;
  readonly nowMs: number;
}

function conditionOf({ enabled, periodMs, child, appliedAtMs, nowMs }: Observed): {
  readonly condition: CameraCondition;
  readonly since: number;
} {
  if (!enabled) return { condition: 'disabled', since: appliedAtMs };
  if (child === undefined) return { condition: 'starting', since: appliedAtMs };
  const { state, sinceMs, feed, delivered } = child;
  const isPresent = (atMs: number | undefined) => atMs !== undefined && nowMs - atMs <= presentMs(periodMs);
  // It may have been tried, and failed, several times since.
  const silentSince = delivered?.lastAtMs ?? sinceMs;
  if (state === 'quarantined') return { condition: 'quarantined', since: sinceMs };
  if (state === 'ended' || state === 'stopped') return { condition: 'offline', since: silentSince };
  if (state !== 'running' || feed === undefined || feed.state === 'restarting')
    return { condition: 'starting', since: sinceMs };
  if (feed.state === 'waiting' || feed.state === 'quarantined' || feed.state === 'stopped')
    return { condition: 'offline', since: silentSince };
  if (feed.state === 'connecting')
    return isFailing(child)
      ? { condition: 'offline', since: silentSince }
      : { condition: 'starting', since: feed.sinceMs };
  if (isPresent(delivered?.lastAtMs)) return { condition: 'delivering', since: feed.sinceMs };
  if (isPresent(feed.sinceMs)) return { condition: 'starting', since: feed.sinceMs };
  return { condition: isPresent(delivered?.capturedAtMs) ? 'waiting' : 'offline', since: silentSince };
}

/** Its feed failed before, and is being opened again. */
export function isFailing({ heartbeat }: ChildStatus): boolean {
  return heartbeat?.facts['fault'] !== undefined;
}

function faultOf(child: ChildStatus | undefined, known: ApiFault | undefined): ApiFault | undefined {
  if (child === undefined) return undefined;
  const { feed, heartbeat, lastFault, state } = child;
  if (feed?.fault !== undefined && state === 'running') return { ...feed.fault, at: feed.sinceMs };
  if (state === 'running' && isFailing(child) && known?.code === heartbeat?.facts['fault']) return known;
  if (heartbeat?.fault !== undefined && state === 'running') return heartbeat.fault;
  const failed = heartbeat?.facts['fault'];
  if (typeof failed === 'string' && state === 'running')
    return { code: failed, message: `its feed failed (${failed}) and is being opened again` };
  if (lastFault === undefined || state === 'running') return undefined;
  const { code, message, atMs } = lastFault;
  return { code, message: `its process ${message}`, at: atMs };
}

function rounded(rate: number): number {
  return Math.round(rate * 100) / 100;
}
