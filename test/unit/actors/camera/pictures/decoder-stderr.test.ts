import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asError, damageIn } from '../../../../../src/actors/camera/pictures/decoder-stderr';

describe("the decoder's output", () => {
  for (const [line, damage, said] of [
    ['[warning] pipe:0: corrupt decoded frame in stream 0', 99, undefined],
    [
      '[h264 @ 0x55] [error] error while decoding MB 76 49',
      99,
      '[h264 @ 0x55] error while decoding MB 76 49',
    ],
    [
      '[hevc @ 0x55] [error] Could not find ref with POC 5',
      99,
      '[hevc @ 0x55] Could not find ref with POC 5',
    ],
    ['[h264 @ 0x55] [error] mmco: unref short failure', undefined, '[h264 @ 0x55] mmco: unref short failure'],
    ['[swscaler @ 0x1] [swscaler @ 0x2] [warning] deprecated pixel format used', undefined, undefined],
    [
      'setpriv: failed to execute ffmpeg: No such file',
      undefined,
      'setpriv: failed to execute ffmpeg: No such file',
    ],
  ] as const)
    it(`"${line}" ${damage === undefined ? 'means no damage' : 'means damage'}`, () => {
      assert.equal(damageIn(line)?.confidence, damage);
      assert.equal(asError(line), said);
    });
});
