/** Why a camera delivers no frames now, as a pure function of its last reports. */
import type { CameraState } from '../contract/message';
import { REASONS } from './fate';

/** Reports about a camera. */
export type CauseEvent = { readonly kind: 'frame' } | { readonly kind: 'state'; readonly state: CameraState };

/** A fault, or the end of its process, remains the cause until the next frame, also while the camera retries. */
export function nextCause(cause: string, event: CauseEvent): string {
  switch (event.kind) {
    case 'frame':
      return REASONS.noPicture;
    case 'state':
      return causeOf(event.state, cause);
  }
}

function causeOf({ state, fault }: CameraState, before: string): string {
  switch (state) {
    case 'restarting':
    case 'quarantined':
    case 'stopped':
      return state;
    case 'waiting':
      return fault?.code ?? before;
    case 'connecting':
      return isVague(before) ? REASONS.connecting : before;
    case 'streaming':
      return before;
  }
}

function isVague(cause: string): boolean {
  return cause === REASONS.noPicture || cause === REASONS.starting;
}
