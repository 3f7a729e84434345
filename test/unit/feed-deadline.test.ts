import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstDeadline, type Seen } from '../../src/actors/camera/feed-deadline';
import type { CameraSpec } from '../../src/config/topology';
import { cameraSpec } from '../support/camera-spec';

const CAMERA = cameraSpec({ source: { kind: 'stream', url: 'rtsp://camera/', transport: 'tcp' } });
const SILENT = { packetMs: 40, keyIntervalMs: 1000 };

describe('the deadline of a feed', () => {
  const rows: readonly [string, Partial<CameraSpec>, object, Omit<Seen, 'startedMs'>, string, number][] = [
    ['nothing came', {}, SILENT, {}, 'no-picture', 20_000],
    ['packets came and no picture', {}, SILENT, { lastPacketMs: 900 }, 'no-keyframe', 20_000],
    ['both came at once', {}, SILENT, { lastPacketMs: 900, lastPictureMs: 900 }, 'stalled', 5900],
    ['packets still come', {}, SILENT, { lastPacketMs: 3000, lastPictureMs: 900 }, 'no-pictures', 5900],
    [
      'packets are 4 s apart',
      {},
      { packetMs: 4000, keyIntervalMs: 4000 },
      { lastPacketMs: 900, lastPictureMs: 900 },
      'stalled',
      12_900,
    ],
    [
      'keyframes are 10 s apart',
      {},
      { packetMs: 40, keyIntervalMs: 10_000 },
      { lastPacketMs: 26_000, lastPictureMs: 900 },
      'no-pictures',
      30_900,
    ],
    [
      'one keyframe was seen',
      {},
      { packetMs: 40 },
      { lastPacketMs: 17_000, lastPictureMs: 900 },
      'no-pictures',
      20_900,
    ],
    [
      'one keyframe alone was received',
      { format: 'keyframe' },
      { packetMs: 0 },
      { lastPacketMs: 900, lastPictureMs: 900 },
      'stalled',
      20_900,
    ],
    [
      'a period is 10 s',
      { periodMs: 10_000 },
      SILENT,
      { lastPacketMs: 26_000, lastPictureMs: 900 },
      'no-pictures',
      30_900,
    ],
  ];
  for (const [what, camera, measured, seen, code, atMs] of rows)
    it(`is that of "${code}" where ${what}`, () => {
      const plan = { packetMs: 0, keyIntervalMs: undefined, ...measured };
      const { sinceMs, limitMs, fault } = firstDeadline({ ...CAMERA, ...camera }, plan, {
        startedMs: 0,
        ...seen,
      });
      assert.deepEqual([fault.code, sinceMs + limitMs], [code, atMs]);
    });

  it('is short over UDP where TCP is left', () => {
    const source = { kind: 'stream', url: 'rtsp://camera/', transport: 'udp', orTcp: true } as const;
    const { limitMs, fault } = firstDeadline(
      { ...CAMERA, source },
      { packetMs: 0, keyIntervalMs: undefined },
      { startedMs: 0 },
    );
    assert.deepEqual([fault.code, limitMs], ['udp-blocked', 5000]);
  });
});
