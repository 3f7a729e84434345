/** When still pictures are requested, and what the answers reveal about a camera's clock. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { retryAfterMs } from '../../../../../src/clock/retry-after';
import { FetchTimes } from '../../../../../src/actors/camera/stills/fetch-times';
import { StillClock } from '../../../../../src/actors/camera/stills/still-clock';
import { SamplePlan } from '../../../../../src/actors/camera/sampling/sample-plan';

const NOW = Date.UTC(2026, 10, 26, 12);

describe('still pictures', () => {
  it('are requested so that no period is skipped, whatever the first period and the name of the camera', () => {
    for (let camera = 0; camera < 40; camera++)
      for (let begin = 0; begin < 1000; begin += 37) {
        const times = new FetchTimes(1000, `camera-${camera}`);
        const plan = new SamplePlan(1000);
        let now = NOW + begin;
        const sequences: number[] = [];
        for (let i = 0; i < 10; i++) {
          times.begun(now);
          sequences.push(plan.accept(now + 20, now).sequence);
          now += 40;
          now += times.waitMs(now);
        }
        assert.deepEqual(
          sequences,
          sequences.map((_, i) => (sequences[0] ?? 0) + i),
        );
      }
  });

  it('of many cameras are spread over the period', () => {
    const phases = Array.from({ length: 200 }, (_, i) => {
      const times = new FetchTimes(1000, `cam${i}`);
      times.begun(NOW + 500);
      return (500 + times.waitMs(NOW + 500)) % 1000;
    });
    for (let from = 250; from < 750; from += 100) {
      const here = phases.filter((phase) => phase >= from && phase < from + 100).length;
      assert.ok(here > 20 && here < 60, `${here} from ${from}`);
    }
  });

  it('of a camera that is too slow are requested at once, and never twice', () => {
    const times = new FetchTimes(1000, 'gate');
    times.begun(NOW);
    assert.equal(times.waitMs(NOW + 2500), 0);
  });

  it('are still requested after the clock was set back by an hour', () => {
    const times = new FetchTimes(1000, 'gate');
    times.begun(NOW);
    assert.ok(times.waitMs(NOW - 3_600_000) <= 1500);
  });
});

describe('the clock of a camera of still pictures', () => {
  const http = (ms: number) => new Date(ms).toUTCString();
  const answer = (clock: StillClock, offsetMs: number, at: number, ageMs?: number) =>
    clock.skewMs({
      date: http(at + offsetMs),
      lastModified: ageMs === undefined ? undefined : http(at + offsetMs - ageMs),
      sentAt: at - 10,
      answeredAt: at + 10,
    });

  it('is assumed to equal ours if whole seconds do not show otherwise', () => {
    for (let at = NOW; at < NOW + 1000; at += 90) assert.equal(answer(new StillClock(), 0, at), 0);
  });

  it('is known more precisely with more answers', () => {
    for (const offsetMs of [-1300, -400, 250, 1700, -3_600_000]) {
      const clock = new StillClock();
      let skewMs = 0;
      for (let i = 0; i < 60; i++) skewMs = answer(clock, offsetMs, NOW + 1037 * i) ?? 0;
      assert.ok(Math.abs(skewMs - offsetMs) < 60, `${offsetMs}: ${skewMs}`);
    }
  });

  it('that is set is measured again', () => {
    const clock = new StillClock();
    for (let i = 0; i < 20; i++) answer(clock, -1000, NOW + 1037 * i);
    const skewMs = answer(clock, 5000, NOW + 60_000) ?? 0;
    assert.ok(skewMs > 3900 && skewMs <= 5010, String(skewMs));
  });

  it('gives the time at which the picture was made, if that was just before', () => {
    const skewMs = answer(new StillClock(), 0, NOW + 500, 1400) ?? 0;
    assert.ok(skewMs <= -500 && skewMs >= -1500, String(skewMs));
  });

  it('is not judged by a picture that is old or from the future', () => {
    for (const ageMs of [3_600_000, 10_000, -5000]) assert.equal(answer(new StillClock(), 0, NOW, ageMs), 0);
  });

  it('is read in all date formats of HTTP, and always as GMT', () => {
    for (const date of [
      'Thu, 26 Nov 2026 12:00:00 GMT',
      'Thursday, 26-Nov-26 12:00:00 GMT',
      'Thu Nov 26 12:00:00 2026',
    ])
      assert.equal(
        new StillClock().skewMs({ date, lastModified: undefined, sentAt: NOW, answeredAt: NOW + 5 }),
        0,
      );
    const told = { date: 'soon', lastModified: 'yesterday', sentAt: NOW, answeredAt: NOW };
    assert.equal(new StillClock().skewMs(told), undefined);
  });
});

describe('retryAfterMs', () => {
  for (const [header, expected] of [
    ['12', 12_000],
    [' 0 ', 0],
    ['99999999', 300_000],
    ['Thu, 26 Nov 2026 12:00:30 GMT', 30_000],
    ['Thu, 26 Nov 2026 11:00:00 GMT', 0],
    ['later', undefined],
    [undefined, undefined],
  ] as const)
    it(`reads ${String(header)}`, () => assert.equal(retryAfterMs(header, NOW), expected));
});
