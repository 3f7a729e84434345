/** What is read of segments without ffmpeg, and which addresses a playlist may lead to. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { HostLimits, isLocal } from '../../src/actors/camera/hls/host-limits';
import { firstTime } from '../../src/actors/camera/hls/segment-time';
import { hlsClip, type HlsClip } from '../support/feeds/hls';

describe('firstTime', () => {
  let [ts, mp4]: HlsClip[] = [];
  before(async () => {
    [ts, mp4] = await Promise.all(
      (['mpegts', 'fmp4'] as const).map((container) => hlsClip({ container, audio: true, seconds: 4 })),
    );
  });

  it('rises by the length of a segment, in MPEG-TS', () => {
    const times = ts?.segments.map(firstTime) ?? [];
    assert.deepEqual(
      times.slice(1, 4).map((time, i) => (time ?? 0) - (times[i] ?? 0)),
      [90_000, 90_000, 90_000],
    );
  });

  it('rises in fragmented MP4', () => {
    const times = mp4?.segments.map((segment) => firstTime(segment) ?? -1) ?? [];
    assert.equal(times.length, 4);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.equal(new Set(times).size, 4);
  });

  it('is not found in anything else, nor in a part', () => {
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

describe('HostLimits', () => {
  const cases: [string, string, boolean][] = [
    ['http://10.0.0.5/a', 'http://10.0.0.5:8080/b', true],
    ['http://10.0.0.5/a', 'https://10.0.0.5/b', true],
    ['https://10.0.0.5/a', 'http://10.0.0.5/b', false],
    ['http://10.0.0.5/a', 'http://10.0.0.6/b', false],
    ['http://10.0.0.5/a', 'http://169.254.169.254/latest', false],
    ['http://93.184.216.34/a', 'http://127.0.0.1:6379/', false],
    ['http://93.184.216.34/a', 'http://[::1]/', false],
    ['http://93.184.216.34/a', 'http://[::ffff:127.0.0.1]/', false],
    ['http://93.184.216.34/a', 'http://0/', false],
    ['http://93.184.216.34/a', 'http://1.1.1.1/b', true],
    ['http://127.0.0.1/a', 'http://localhost/b', true],
    ['http://127.0.0.1/a', 'rtsp://127.0.0.1/b', false],
    ['http://127.0.0.1/a', 'file:///etc/passwd', false],
  ];
  for (const [named, target, allowed] of cases)
    it(`${allowed ? 'lets' : 'does not let'} ${named} lead to ${target}`, async () => {
      assert.equal(await new HostLimits(new URL(named)).allows(new URL(target)), allowed);
    });

  it('knows local addresses however they are written', () => {
    const addresses = [
      '127.0.0.1',
      '::1',
      'fe80::1',
      'fd00::1',
      '::ffff:10.0.0.1',
      '172.31.0.1',
      '172.32.0.1',
      '2606:4700::1',
    ];
    assert.deepEqual(addresses.map(isLocal), [true, true, true, true, true, true, false, false]);
  });
});
