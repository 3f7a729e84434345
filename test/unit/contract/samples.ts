/** A frame, and random ones, for the tests of the contract. */
import type { TSchema } from '@sinclair/typebox';
import { FRAME_FORMATS, type Frame } from '../../../src/contract/frame';
import { cameraStateChanged, frameSampled, framesMissed } from '../../../src/contract/events';
import {
  CameraStateChanged,
  FrameSampled,
  FramesMissed,
  type CameraState,
  type Gap,
  type VigilEvent,
} from '../../../src/contract/message';
import type { Random } from '../../../lab/random';

export const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

export const FRAME: Frame = {
  camera: 'gate-1',
  capturedAt: 1_700_000_000_123,
  sequence: 1_700_000_000,
  width: 1920,
  height: 1080,
  format: 'jpeg',
  bytes: 301_000,
};

export function randomFrame(random: Random): Frame {
  return {
    camera: random.text(ID_ALPHABET, 1, 64),
    capturedAt: random.between(0, 9_999_999_999_999),
    sequence: random.between(0, 49_999_999_999),
    width: random.between(1, 65_535),
    height: random.between(1, 65_535),
    format: random.pick(FRAME_FORMATS),
    bytes: random.between(1, 134_217_728),
  };
}

export const STATES: readonly CameraState[] = [
  { camera: 'gate-1', state: 'connecting', sinceMs: 1_700_000_000_000 },
  { camera: 'gate-1', state: 'streaming', sinceMs: 1_700_000_000_000 },
  {
    camera: 'gate-1',
    state: 'waiting',
    sinceMs: 0,
    fault: { code: 'refused', message: 'rtsp://cam/live refuses connections' },
  },
];

export const GAP: Gap = { camera: 'gate-1', firstSequence: 5, lastSequence: 9, missed: 5, reason: 'stalled' };

export const EVENTS: readonly (readonly [string, TSchema, () => VigilEvent])[] = [
  ['a sampled frame', FrameSampled, () => frameSampled('vigil', FRAME, false, FRAME.capturedAt + 90)],
  [
    'a delayed frame',
    FrameSampled,
    () => frameSampled('site_2', { ...FRAME, format: 'webp' }, true, FRAME.capturedAt + 9000),
  ],
  [
    'a frame that was scaled',
    FrameSampled,
    () =>
      frameSampled(
        'vigil',
        { ...FRAME, sourceWidth: 3840, sourceHeight: 2160 },
        false,
        FRAME.capturedAt + 90,
      ),
  ],
  [
    'a keyframe of a camera on its side',
    FrameSampled,
    () =>
      frameSampled(
        'vigil',
        { ...FRAME, format: 'h264', sourceWidth: 1920, sourceHeight: 1080, rotation: 270 },
        false,
        FRAME.capturedAt + 90,
      ),
  ],
  [
    'a frame of a camera with tags',
    FrameSampled,
    () => frameSampled('vigil', FRAME, false, FRAME.capturedAt + 90, ['north', 'gate']),
  ],
  [
    'a frame of a fleet',
    FrameSampled,
    () => frameSampled('vigil', FRAME, false, FRAME.capturedAt + 90, [], { node: 'north' }),
  ],
  ...STATES.map(
    (state) =>
      [`camera ${state.state}`, CameraStateChanged, () => cameraStateChanged('vigil', state)] as const,
  ),
  [
    'a state in a fleet',
    CameraStateChanged,
    () => cameraStateChanged('vigil', STATES[0] as CameraState, 'north'),
  ],
  ['a gap', FramesMissed, () => framesMissed('vigil', GAP, 1_700_000_000_999)],
  ['a gap in a fleet', FramesMissed, () => framesMissed('vigil', GAP, 1_700_000_000_999, 'north')],
];
