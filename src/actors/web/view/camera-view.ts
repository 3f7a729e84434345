/** The API's view of one camera, from the daemon's status. Pure. */
import type { ChildStatus, ConfiguredCamera } from '../../../supervisor/status';
import { conditionOf, faultOf } from '../../../supervisor/camera-condition';
import type { ApiCamera } from './api';

export function cameraView(
  { id, enabled, tags = [], periodMs }: ConfiguredCamera,
  child: ChildStatus | undefined,
  appliedAtMs: number,
  nowMs: number,
): ApiCamera {
  const { delivered, heartbeat } = child ?? {};
  const facts = heartbeat?.facts ?? {};
  const { condition, since } = conditionOf({ enabled, periodMs, child, appliedAtMs, nowMs });
  const fault = condition === 'delivering' ? undefined : faultOf(child);
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

function rounded(rate: number): number {
  return Math.round(rate * 100) / 100;
}
