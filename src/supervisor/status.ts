/** The status of a child, for people and programs. */
import type { CameraState } from '../contract/message';
import type { FaultRecord } from '../fault/fault';
import type { Heartbeat } from '../protocol/progress';
import type { FeedFault } from './camera-states';
import type { Child, ChildState } from './child';
import type { CameraDelivery } from './deliveries';

export interface ChildStatus {
  readonly name: string;
  readonly kind: 'service' | 'notifier' | 'store' | 'web' | 'notices' | 'camera';
  readonly state: ChildState['name'];
  /** When the state began, milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly pid?: number | undefined;
  /** Number of starts after the first. */
  readonly restarts: number;
  readonly lastFault?: (FaultRecord & { readonly atMs: number }) | undefined;
  readonly heartbeat?: (Heartbeat & { readonly atMs: number }) | undefined;
  /** Cameras: the state of the feed. */
  readonly feed?: CameraState | undefined;
  /** Cameras: why a feed failed that waits or is being reopened. */
  readonly feedFault?: FeedFault | undefined;
  /** Cameras: recent confirms. */
  readonly delivered?: CameraDelivery | undefined;
  /** Cameras: absent if it has none. */
  readonly tags?: readonly string[];
}

/** A camera of the configuration. */
export interface ConfiguredCamera {
  readonly id: string;
  /** A disabled camera has no process. */
  readonly enabled: boolean;
  /** Absent if it has none. */
  readonly tags?: readonly string[];
  /** The sampling period of an enabled camera. */
  readonly periodMs?: number;
}

export function childStatus(
  child: Child,
  kind: ChildStatus['kind'],
  told: Pick<ChildStatus, 'heartbeat' | 'feed' | 'feedFault' | 'delivered'> = {},
): ChildStatus {
  const { name, state, sinceMs, restarts, lastFault } = child;
  const pid = 'pid' in state ? state.pid : undefined;
  return { name, kind, state: state.name, sinceMs, pid, restarts, lastFault, ...told };
}
