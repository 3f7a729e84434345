/** Whether a camera's newest picture may be shown as its present one. Pure. */
import type { Frame } from '../../../contract/frame';
import type { ApiCamera } from '../view/api';
import { Problem } from '../http/problem';
import { presentMs } from '../../../supervisor/camera-condition';

/** Milliseconds since the picture was captured, by this machine's clock alone: docs/contract.md, capturedAt. */
export function ageMs({ capturedAt, clock, clockSkewMs = 0 }: Frame, nowMs: number): number {
  return nowMs - (clock === 'camera' ? capturedAt - clockSkewMs : capturedAt);
}

/**
 * @param camera its state, if the daemon answers
 * @throws Problem when it may not
 */
export function throwUnlessPresent(
  frame: Frame,
  periodMs: number | undefined,
  camera: ApiCamera | undefined,
  nowMs: number,
): void {
  const { capturedAt } = frame;
  const [limitMs, age] = [presentMs(periodMs), ageMs(frame, nowMs)];
  const why = camera?.fault === undefined ? '' : `: ${camera.fault.message}`;
  if (age > limitMs)
    throw new Problem(
      404,
      'no-present-picture',
      `the newest picture of ${frame.camera} is ${durationText(age)} old, more than ${durationText(limitMs)}${why}`,
      { capturedAt },
    );
  if (age < -limitMs)
    throw new Problem(
      404,
      'no-present-picture',
      `the newest picture of ${frame.camera} has a time ${durationText(-age)} ahead of this machine's clock, which was set back; wait for the next picture`,
      { capturedAt },
    );
}

export function noPicture(id: string, { condition, fault }: Partial<ApiCamera> = {}): Problem {
  const why = fault?.message ?? (condition === undefined ? undefined : `it is ${condition}`);
  return new Problem(404, 'no-picture', `there is no picture of ${id}${why === undefined ? '' : `: ${why}`}`);
}

function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
