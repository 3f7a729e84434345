/** How a feed is sampled, and why. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { samplingChoice } from '../../../../../src/actors/camera/sampling/sampling-choice';

describe('a sampling choice', () => {
  const auto = { periodMs: 1000, sampling: 'auto', format: 'jpeg' } as const;
  const h264 = { codec: 'h264', decoded: true };
  for (const [what, spec, seen, intervalMs, sampling, reason] of [
    ['before anything came', auto, undefined, undefined, 'unknown', /nothing was received/],
    ['of one keyframe', auto, h264, undefined, 'between-keyframes', /not known yet/],
    [
      'of frequent keyframes',
      auto,
      h264,
      1000,
      'keyframes',
      /every 1000 ms, a picture is wanted every 1000 ms/,
    ],
    ['of rare keyframes', auto, h264, 9999.6, 'between-keyframes', /every 10000 ms only/],
    ['of JPEG pictures', auto, { codec: 'mjpeg', decoded: false }, 100, 'pass-through', /mjpeg pictures/],
    ['that was made', { ...auto, sampling: 'all' }, h264, 1000, 'all', /the configuration says so/],
  ] as const)
    it(`${what} is "${sampling}", and says why`, () => {
      const choice = samplingChoice(spec, seen, intervalMs);
      assert.equal(choice.sampling, sampling);
      assert.match(choice.samplingReason, reason);
      assert.equal(choice.keyframeIntervalMs, intervalMs === undefined ? undefined : Math.round(intervalMs));
    });
});
