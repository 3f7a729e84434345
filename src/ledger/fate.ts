/** The fate of a sampling period: exactly one of these, at any time. */

export const STATES = ['confirmed', 'waiting', 'dropped', 'gap'] as const;
export type State = (typeof STATES)[number];

export type Fate =
  /** RabbitMQ has confirmed the frame's message, its bytes are in Redis. */
  | { readonly state: 'confirmed' }
  /** The frame is in the spool. */
  | { readonly state: 'waiting' }
  /** The frame was captured, and dropped by a rule the operator set. */
  | { readonly state: 'dropped'; readonly reason: string }
  /** No frame was captured. */
  | { readonly state: 'gap'; readonly reason: string };

export const CONFIRMED: Fate = { state: 'confirmed' };
export const WAITING: Fate = { state: 'waiting' };

/** Why periods have no frame, unless a fault of the camera is the reason: faults of feeds have their own codes. */
export const REASONS = {
  starting: 'starting',
  connecting: 'connecting',
  noPicture: 'no-picture',
  disabled: 'disabled',
  /** Another node of the fleet may have had the camera. */
  elsewhere: 'elsewhere',
  /** No node of the fleet had the camera. */
  unowned: 'unowned',
  /** The daemon was stopped in order. */
  daemonStopped: 'daemon-stopped',
  /** The daemon was killed, or the machine stopped; the last moment before that may not have been recorded. */
  daemonDown: 'daemon-down',
} as const;

export function reasonOf(fate: Fate): string | undefined {
  return 'reason' in fate ? fate.reason : undefined;
}

export function sameFate(a: Fate, b: Fate): boolean {
  return a.state === b.state && reasonOf(a) === reasonOf(b);
}
