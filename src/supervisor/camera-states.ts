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
