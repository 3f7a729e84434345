/** What is read from segments without ffmpeg. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { firstTime } from '../../src/actors/camera/hls/segment-time';
import { hlsClip, type HlsClip } from '../../lab/feeds/hls-clip';

describe('firstTime', () => {
  let [ts, mp4]: HlsClip[] = [];
  before(async () => {
    [ts, mp4] = await Promise.all(
      (['mpegts', 'fmp4'] as const).map((container) => hlsClip({ container, audio: true, seconds: 4 })),
    );
  });

  it('increases by the length of a segment in MPEG-TS', () => {
    const times = ts?.segments.map(firstTime) ?? [];
    assert.deepEqual(
      times.slice(1, 4).map((time, i) => (time ?? 0) - (times[i] ?? 0)),
      [90_000, 90_000, 90_000],
    );
  });

  it('increases in fragmented MP4', () => {
    const times = mp4?.segments.map((segment) => firstTime(segment) ?? -1) ?? [];
    assert.equal(times.length, 4);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.equal(new Set(times).size, 4);
  });

  it('is undefined for anything else, and for a truncated segment', () => {
    const whole = ts?.segments[0] ?? Buffer.alloc(0);
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('<html>'),
      Buffer.alloc(1000),
      Buffer.alloc(5000, 0x47),
    ])
      assert.equal(firstTime(bytes), undefined);
    for (let end = 0; end < 2000; end += 7) firstTime(whole.subarray(0, end));
    for (let end = 0; end < 400; end++) firstTime(mp4?.segments[0]?.subarray(0, end) ?? whole);
  });
});
