/** The state of a camera where its process cannot report it: follows from the state of the child. Pure. */
import type { CameraState } from '../contract/message';
import type { FaultRecord } from '../fault/fault';
import type { ChildState } from './child';

/**
 * Undefined while the camera's process reports its state itself.
 * @param fault why the process last ended, without its subject
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

/** Why a camera’s feed failed that is being opened again; `at`: when it failed, milliseconds since the epoch. */
export type FeedFault = FaultRecord & { readonly at: number };

/** @param before that of the state before */
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
