/** Which clock capture times follow, and that they never go back or jump while it changes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RELEASED_AT } from '../../../../../src/clock/machine-clock';
import {
  CameraClock,
  clockFault,
  MAX_AHEAD_MS,
  MAX_BEHIND_MS,
} from '../../../../../src/actors/camera/clock/camera-clock';
import { rounds, seededRandom } from '../../../../../lab/random';

const START = 1_795_381_140_000;
const HOUR_MS = 3_600_000;

function toldClock(skewMs: number): CameraClock {
  const clock = new CameraClock();
  for (let i = 0; i < 9; i++) clock.told(skewMs);
  return clock;
}

describe("a camera's clock", () => {
  it('that is unknown leaves capture times at arrival, and says so', () => {
    const clock = new CameraClock();
    assert.deepEqual(clock.captureTime(START), { capturedAt: START, clock: 'arrival' });
    assert.deepEqual(clock.captureTime(START + 1000), { capturedAt: START + 1000, clock: 'arrival' });
  });

  for (const [skewMs, state] of [
    [0, 'sane'],
    [-120, 'sane'],
    [-MAX_BEHIND_MS, 'sane'],
    [-MAX_BEHIND_MS - 1, 'insane'],
    [MAX_AHEAD_MS, 'sane'],
    [MAX_AHEAD_MS + 1, 'insane'],
    [HOUR_MS, 'insane'],
    [-1_795_413_612_000, 'insane'],
  ] as const)
    it(`that is off by ${skewMs} ms is ${state}`, () => {
      const clock = toldClock(skewMs);
      assert.equal(clock.state, state);
      assert.equal(clock.skewMs, skewMs);
      for (let at = START; at <= START + 100_000; at += 1000) {
        const { capturedAt } = clock.captureTime(at);
        if (state === 'insane') assert.equal(capturedAt, at);
      }
      const last = clock.captureTime(START + 101_000);
      const expected = state === 'sane' ? skewMs : 0;
      assert.equal(last.capturedAt, START + 101_000 + expected);
      assert.deepEqual([last.clock, last.clockSkewMs], [state === 'sane' ? 'camera' : 'arrival', skewMs]);
    });

  it("is approached in small steps; times are marked as the camera's only once it is reached", () => {
    const clock = toldClock(-300);
    const times = Array.from({ length: 10 }, (_, i) => clock.captureTime(START + 1000 * i));
    assert.deepEqual(
      times.map(({ capturedAt }, i) => capturedAt - START - 1000 * i),
      [0, -50, -100, -150, -200, -250, -300, -300, -300, -300],
    );
    assert.deepEqual(
      times.map((time) => time.clock),
      [...Array<string>(6).fill('arrival'), ...Array<string>(4).fill('camera')],
    );
  });

  it('needs at least three measurements and follows the median of nine, so outliers do not count', () => {
    const clock = new CameraClock();
    assert.deepEqual([clock.told(-100), clock.told(-100), clock.state], [false, false, 'unknown']);
    assert.equal(clock.skewMs, -100, 'but it is said');
    assert.deepEqual([clock.told(-100), clock.state], [true, 'sane']);
    for (let i = 0; i < 30; i++) assert.equal(clock.told(i % 3 === 0 ? HOUR_MS : -100), false);
    assert.deepEqual([clock.state, clock.skewMs], ['sane', -100]);
  });

  it('that was set is followed once most of nine measurements agree', () => {
    const clock = toldClock(-100);
    const changes = Array.from({ length: 9 }, () => clock.told(HOUR_MS));
    assert.deepEqual(changes, [false, false, false, false, true, false, false, false, false]);
    assert.equal(clock.state, 'insane');
  });

  it('is kept while the feed is reopened, until it is measured again', () => {
    const clock = toldClock(-100);
    clock.reopen();
    assert.deepEqual([clock.told(400), clock.told(400), clock.skewMs], [false, false, -100]);
    clock.told(400);
    assert.deepEqual([clock.state, clock.skewMs], ['sane', 400]);
  });

  it('never makes capture times go back, repeat or jump, whatever it reports and however often the feed is reopened', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < rounds(300); round++) {
      const clock = new CameraClock(START - random.between(0, 2000));
      let [arrival, before, arrivalBefore] = [START, -Infinity, START];
      let skewMs = 0;
      for (let i = 0; i < 400; i++) {
        arrivalBefore = arrival;
        arrival += random.pick([20, 100, 500, 960, 1000, 1040, 60_000]);
        if (random.next() < 0.02) skewMs = random.pick([-2500, -1999, -150, 0, 499, 501, HOUR_MS, -HOUR_MS]);
        if (random.next() < 0.02) clock.reopen();
        if (random.next() < 0.7) clock.told(skewMs + random.between(-30, 30));
        const { capturedAt } = clock.captureTime(arrival);
        const [step, arrivalStep] = [capturedAt - before, arrival - arrivalBefore];
        assert.ok(capturedAt > before, `${capturedAt} after ${before}`);
        if (i > 0)
          assert.ok(Math.abs(step - arrivalStep) <= 0.05 * arrivalStep + 1, `${step} for ${arrivalStep}`);
        const offset = capturedAt - arrival;
        assert.ok(offset >= -MAX_BEHIND_MS - 1 && offset <= MAX_AHEAD_MS, `${offset} ms off`);
        before = capturedAt;
      }
    }
  });

  it('continues later than any capture time of an earlier process', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < rounds(500); round++) {
      const endedAt = START;
      const last = endedAt + random.between(-MAX_BEHIND_MS, MAX_AHEAD_MS);
      const clock = new CameraClock(endedAt + random.between(0, 1000));
      assert.ok(clock.captureTime(endedAt + random.between(1000, 1500)).capturedAt > last - 1);
    }
    // Even a process faster than any: it begins no earlier than the last capture time, and continues from there.
    const clock = new CameraClock(START);
    assert.equal(clock.captureTime(START + 50).capturedAt, START + MAX_AHEAD_MS);
    assert.equal(clock.captureTime(START + 1050).capturedAt, START + MAX_AHEAD_MS + 950);
  });

  for (const setMs of [-HOUR_MS, HOUR_MS, 56 * 365 * 24 * HOUR_MS])
    it(`is judged at once when this machine's clock is set by ${setMs} ms, and the report says which clock was set`, () => {
      const clock = toldClock(-100);
      for (let i = 0; i < 10; i++) clock.captureTime(START + 1000 * i);
      assert.equal(clock.machineSet(setMs), true);
      assert.deepEqual([clock.state, clock.skewMs, clock.machineSetMs], ['insane', -100 - setMs, setMs]);
      const times = [10, 11, 12, 13].map((i) => clock.captureTime(START + setMs + 1000 * i));
      assert.deepEqual(
        times.map(({ capturedAt }, i) => capturedAt - START - setMs - 1000 * (10 + i)),
        [-50, 0, 0, 0],
      );
      for (let i = 0; i < 9; i++) assert.equal(clock.told(-100 - setMs + i), false, 'it is known already');
      assert.equal(clock.machineSet(-setMs), true, 'and back');
      assert.deepEqual([clock.state, Math.round((clock.skewMs ?? 0) / 10)], ['sane', -10]);
    });

  it("keeps its state when this machine's clock is set by a little, or if nothing was measured", () => {
    const clock = toldClock(-100);
    assert.equal(clock.machineSet(300), false);
    assert.deepEqual([clock.state, clock.skewMs], ['sane', -400]);
    assert.equal(new CameraClock().machineSet(HOUR_MS), false);
  });

  it('marks capture times earlier than the release of this version of Vigil, and then blames no camera', () => {
    const clock = toldClock(START);
    const { capturedAt, clockUnset } = clock.captureTime(60_000);
    assert.deepEqual([capturedAt, clockUnset], [60_000, true]);
    assert.equal(clockFault({ skewMs: START, machineSetMs: undefined }, 60_000), undefined);
    assert.equal(clock.captureTime(RELEASED_AT).clockUnset, undefined);
  });

  it('that is rejected is explained with its figures and, if known, with the clock at fault', () => {
    const said = (skewMs: number, machineSetMs?: number) =>
      clockFault({ skewMs, machineSetMs }, START)?.message;
    assert.equal(
      said(HOUR_MS),
      "its clock is 3600000 ms ahead of this machine's (limit: 500 ms ahead): capture times are those of arrival; see which of the two is right, and sync both with NTP",
    );
    assert.equal(
      said(-HOUR_MS, HOUR_MS),
      "its clock is 3600000 ms behind this machine's since this machine's was set forward by 3600000 ms (limit: 2000 ms behind): capture times are those of arrival; see which of the two is right, and sync both with NTP",
    );
    assert.match(said(-START) ?? '', /the camera's says 1970-01-01T00:00:00\.000Z and is wrong; set it/);
  });
});
