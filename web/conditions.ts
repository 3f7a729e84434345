/** The conditions of a camera: their order, worst first, and their labels. */
import type { ApiCamera, CameraCondition } from '../src/actors/web/view/api';

/** What does not deliver comes first. */
export const CONDITIONS = [
  'offline',
  'quarantined',
  'waiting',
  'starting',
  'delivering',
  'disabled',
] as const;

export const CONDITION_NAMES: Readonly<Record<CameraCondition, string>> = {
  offline: 'Offline',
  quarantined: 'Quarantined',
  waiting: 'Waiting',
  starting: 'Starting',
  delivering: 'Delivering',
  disabled: 'Disabled',
};

/** Why a camera with that condition delivers no frames now, if it has no fault. */
export const CONDITION_REASONS: Readonly<Record<CameraCondition, string>> = {
  offline: 'The camera gives no pictures.',
  quarantined: 'Its process ended too often. It is tried again from time to time.',
  waiting: 'Its frames wait in the spool until Redis and RabbitMQ take them.',
  starting: 'Its process is starting.',
  delivering: '',
  disabled: 'It is switched off in the configuration.',
};

export function isCondition(name: string): name is CameraCondition {
  return (CONDITIONS as readonly string[]).includes(name);
}

/** Why this camera is not delivering, one sentence or more; empty if there is nothing to report. */
export function reasonOf(camera: ApiCamera): string {
  return sentence(camera.fault?.message ?? CONDITION_REASONS[camera.condition]);
}

/** With a capital and a full stop: faults are written to stand behind a name and a colon. URLs stay as they are. */
export function sentence(text: string): string {
  if (text === '') return '';
  const begun = text.replace(/^[a-z](?=[a-z]*\b[^:/.@\w-])/, (letter) => letter.toUpperCase());
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
