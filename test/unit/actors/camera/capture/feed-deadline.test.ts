import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstDeadline, type Seen } from '../../../../../src/actors/camera/capture/deadline';
import { readAddress } from '../../../../../src/actors/camera/rtsp/address';
import type { RtspAnswer } from '../../../../../src/actors/camera/rtsp/answer';
import type { CameraSpec } from '../../../../../src/config/topology';
import { cameraSpec } from '../../../../../lab/camera-spec';

const CAMERA = cameraSpec({ source: { kind: 'stream', url: 'rtsp://camera/', transport: 'tcp' } });
function described(afterMs: number, track = 'video'): RtspAnswer {
  const address = readAddress('rtsp://camera/');
  assert.ok(address !== undefined);
  return { kind: 'described', address, afterMs, described: { tracks: [track], transportStream: false } };
}
const SILENT = { packetMs: 40, keyIntervalMs: 1000 };

describe('the deadline of a feed', () => {
  const rows: readonly [string, Partial<CameraSpec>, object, Omit<Seen, 'startedMs'>, string, number][] = [
    ['nothing came', {}, SILENT, {}, 'no-picture', 20_000],
    ['packets came and no picture', {}, SILENT, { lastPacketMs: 15_900 }, 'no-keyframe', 20_000],
    ['a packet came and then nothing', {}, SILENT, { lastPacketMs: 900 }, 'stalled', 20_000],
    [
      'a keyframe came and no picture',
      {},
      SILENT,
      { lastPacketMs: 15_900, lastKeyMs: 500 },
      'no-pictures',
      20_000,
    ],
    ['the camera took no connection', {}, SILENT, { answer: { kind: 'unconnected' } }, 'timeout', 20_000],
    ['the camera did not answer', {}, SILENT, { answer: { kind: 'unanswered' } }, 'silent', 20_000],
    ['it described its stream', {}, SILENT, { answer: described(100) }, 'silent', 20_000],
    ['it described sound alone', {}, SILENT, { answer: described(100, 'audio') }, 'not-a-stream', 20_000],
    ['both came at once', {}, SILENT, { lastPacketMs: 900, lastPictureMs: 900 }, 'stalled', 5900],
    [
      'the last picture came just before it fell silent',
      {},
      SILENT,
      { lastPacketMs: 1700, lastPictureMs: 900 },
      'stalled',
      6700,
    ],
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
      'keyframes are 10 s apart, and it fell silent in between',
      {},
      { packetMs: 40, keyIntervalMs: 10_000 },
      { lastPacketMs: 9900, lastPictureMs: 900 },
      'stalled',
      14_900,
    ],
    [
      'keyframes are asked for, and none came behind the first picture',
      { sampling: 'keyframes' },
      SILENT,
      { lastPacketMs: 6900, lastKeyMs: 880, lastPictureMs: 900 },
      'no-keyframe',
      5900,
    ],
    [
      'keyframes are asked for, and became no pictures',
      { sampling: 'keyframes' },
      SILENT,
      { lastPacketMs: 6900, lastKeyMs: 5880, lastPictureMs: 900 },
      'no-pictures',
      5900,
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
      'one keyframe was seen, and packets until shortly before',
      {},
      { packetMs: 40 },
      { lastPacketMs: 15_500, lastPictureMs: 900 },
      'stalled',
      20_500,
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
    it(`is that of "${code}" if ${what}`, () => {
      const plan = { packetMs: 0, keyIntervalMs: undefined, ...measured };
      const { sinceMs, limitMs, fault } = firstDeadline({ ...CAMERA, ...camera }, plan, {
        startedMs: 0,
        ...seen,
      });
      assert.deepEqual([fault.code, sinceMs + limitMs], [code, atMs]);
    });

  for (const [what, answer, limitMs] of [
    ['short', undefined, 5000],
    ['counted from when the stream was described', described(2000), 9000],
    ['long enough for a camera that was too slow to be asked', { kind: 'unanswered' }, 10_000],
  ] as const)
    it(`is ${what} over UDP if TCP remains`, () => {
      const source = { kind: 'stream', url: 'rtsp://camera/', transport: 'udp', orTcp: true } as const;
      const { limitMs: limit, fault } = firstDeadline(
        { ...CAMERA, source },
        { packetMs: 0, keyIntervalMs: undefined },
        { startedMs: 0, ...(answer === undefined ? {} : { answer }) },
      );
      assert.deepEqual([fault.code, limit], ['udp-blocked', limitMs]);
    });
});
