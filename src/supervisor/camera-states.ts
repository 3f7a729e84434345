/** The state of a camera whose process cannot report it: derived from the state of the child. Pure. */
import type { CameraState } from '../contract/message';
import type { FaultRecord } from '../fault/fault';
import type { ChildState } from './child';

/**
 * Undefined while the camera's process reports its state itself.
 * @param fault why the process last ended, without the subject
 */
export function cameraStateOf(
  camera: string,
  child: ChildState,
  fault: FaultRecord | undefined,
  nowMs: number,
): CameraState | undefined {
  const state = stateNameOf(child);
  if (state === undefined) return undefined;
  const entered = { camera, state, sinceMs: nowMs };
  if (fault === undefined) return entered;
  return { ...entered, fault: { code: fault.code, message: `its process ${fault.message}` } };
}

/** Why the feed of a camera failed that is now being reopened; `at`: when it failed, milliseconds since the epoch. */
export type FeedFault = FaultRecord & { readonly at: number };

/** @param before the feed fault of the previous state */
export function feedFaultOf(
  { state, sinceMs, fault }: CameraState,
  before: FeedFault | undefined,
): FeedFault | undefined {
  if (state === 'connecting') return before;
  return state === 'waiting' && fault !== undefined ? { ...fault, at: sinceMs } : undefined;
}

function stateNameOf(child: ChildState): CameraState['state'] | undefined {
  switch (child.name) {
    case 'waiting':
      return 'restarting';
    case 'quarantined':
      return 'pid' in child ? undefined : 'quarantined';
    case 'ended':
      return 'stopped';
    case 'down':
    case 'starting':
    case 'running':
    case 'stopped':
      return undefined;
  }
}
