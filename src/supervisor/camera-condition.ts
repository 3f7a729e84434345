/** The condition of a camera, from what the daemon reports of it: for the page, the API and notices. Pure. */
import type { CameraCondition } from '../contract/condition';
import type { FaultRecord } from '../fault/fault';
import type { ChildStatus } from './status';

/** A picture captured or confirmed longer ago than this is not current, milliseconds. */
export const PRESENT_MS = 10_000;
const PRESENT_PERIODS = 3;

/** How old a camera's newest picture may be and still count as current, milliseconds. */
export function presentMs(periodMs = 0): number {
  return Math.max(PRESENT_MS, PRESENT_PERIODS * periodMs);
}

/** `at`: when it was noticed, milliseconds since the epoch. */
export interface CameraFault extends FaultRecord {
  readonly at?: number;
}

export interface ObservedCamera {
  readonly enabled: boolean;
  readonly periodMs: number | undefined;
  readonly child: ChildStatus | undefined;
  readonly appliedAtMs: number;
  readonly nowMs: number;
}

export function conditionOf({ enabled, periodMs, child, appliedAtMs, nowMs }: ObservedCamera): {
  readonly condition: CameraCondition;
  readonly since: number;
} {
  if (!enabled) return { condition: 'disabled', since: appliedAtMs };
  if (child === undefined) return { condition: 'starting', since: appliedAtMs };
  const { state, sinceMs, feed, delivered } = child;
  const isPresent = (atMs: number | undefined) => atMs !== undefined && nowMs - atMs <= presentMs(periodMs);
  // The camera may have been retried, and have failed, several times since.
  const silentSince = delivered?.lastAtMs ?? sinceMs;
  if (state === 'quarantined') return { condition: 'quarantined', since: sinceMs };
  if (state === 'ended' || state === 'stopped') return { condition: 'offline', since: silentSince };
  if (state !== 'running' || feed === undefined || feed.state === 'restarting')
    return { condition: 'starting', since: sinceMs };
  if (feed.state === 'waiting' || feed.state === 'quarantined' || feed.state === 'stopped')
    return { condition: 'offline', since: silentSince };
  if (feed.state === 'connecting')
    return child.feedFault !== undefined
      ? { condition: 'offline', since: silentSince }
      : { condition: 'starting', since: feed.sinceMs };
  if (isPresent(delivered?.lastAtMs)) return { condition: 'delivering', since: feed.sinceMs };
  if (isPresent(feed.sinceMs)) return { condition: 'starting', since: feed.sinceMs };
  return { condition: isPresent(delivered?.capturedAtMs) ? 'waiting' : 'offline', since: silentSince };
}

/** Why the camera does not deliver, if known. */
export function faultOf(child: ChildStatus | undefined): CameraFault | undefined {
  if (child === undefined) return undefined;
  const { feedFault, heartbeat, lastFault, state } = child;
  if (state === 'running') return feedFault ?? heartbeat?.fault;
  if (lastFault === undefined) return undefined;
  const { code, message, atMs } = lastFault;
  return { code, message: `its process ${message}`, at: atMs };
}
