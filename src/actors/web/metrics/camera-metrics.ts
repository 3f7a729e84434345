/** The figures of the cameras. */
import type { Registry } from 'prom-client';
import { VERDICT_REASONS, VERDICTS } from '../../../contract/verdict';
import type { Observed } from './observed';
import { counter, gauge } from './series';

export function cameraMetrics(register: Registry, { view, figures, nowMs, withTags }: Observed): void {
  const captured = counter(register, 'vigil_frames_captured_total', 'Frames captured.', ['camera']);
  const confirmed = counter(register, 'vigil_frames_confirmed_total', 'Frames stored and confirmed.', [
    'camera',
  ]);
  const dropped = counter(register, 'vigil_frames_dropped_total', 'Captured frames given up, by reason.', [
    'camera',
    'reason',
  ]);
  const gaps = counter(register, 'vigil_gap_seconds_total', 'Seconds without a frame, by reason.', [
    'camera',
    'reason',
  ]);
  const condition = gauge(register, 'vigil_camera_condition', '1 for the condition the camera is in.', [
    'camera',
    'condition',
  ]);
  const age = gauge(
    register,
    'vigil_newest_confirmed_age_seconds',
    'Time since a frame was confirmed last.',
    ['camera'],
  );
  const info = gauge(register, 'vigil_camera_info', '1; codec of the feed and what of it is decoded.', [
    'camera',
    'codec',
    'sampling',
  ]);
  const keyframes = gauge(register, 'vigil_keyframe_interval_seconds', 'Time between keyframes.', ['camera']);
  const period = gauge(
    register,
    'vigil_sampling_period_seconds',
    'Seconds between two frames, as configured; not of disabled cameras.',
    ['camera'],
  );
  const tagged = withTags
    ? gauge(register, 'vigil_camera_tag', '1 for each tag of the camera.', ['camera', 'tag'])
    : () => undefined;
  for (const { id: camera, ...of } of view.cameras) {
    for (const tag of of.tags) tagged(1, { camera, tag });
    period((view.periodMs.get(camera) ?? NaN) / 1000, { camera });
    condition(1, { camera, condition: of.condition });
    if (of.confirmedAt !== undefined) age(Math.max(0, nowMs - of.confirmedAt) / 1000, { camera });
    if (of.codec !== undefined) info(1, { camera, codec: of.codec, sampling: of.sampling ?? '' });
    keyframes(of.keyframeSeconds, { camera });
    const total = figures.cameras[camera];
    if (of.condition !== 'disabled') {
      captured(total?.captured ?? 0, { camera });
      confirmed(total?.confirmed ?? 0, { camera });
    }
    for (const [reason, frames] of Object.entries(total?.dropped ?? {})) dropped(frames, { camera, reason });
    for (const [reason, ms] of Object.entries(total?.gapMs ?? {})) gaps(ms / 1000, { camera, reason });
  }
}

/** As each camera's process counts them, since its start. */
export function verdictMetric(register: Registry, { view: { status } }: Observed): void {
  const bad = counter(register, 'vigil_frames_bad_total', 'Frames called bad, by verdict and reason.', [
    'camera',
    'verdict',
    'reason',
  ]);
  for (const { kind, name, heartbeat } of status.children) {
    if (kind !== 'camera') continue;
    const camera = name.slice(name.indexOf(':') + 1);
    for (const verdict of VERDICTS)
      for (const reason of VERDICT_REASONS) {
        const frames = heartbeat?.facts[`${verdict}-${reason}`];
        if (typeof frames === 'number') bad(frames, { camera, verdict, reason });
      }
  }
}
