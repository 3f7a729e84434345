/** How `latestOnly` shares a handler that is slower than the cameras, however late their frames are announced. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { frameKey } from '../../../src/contract/key';
import { Overtaken } from '../../../src/consumer/overtaken';
import { Turns } from '../../../src/consumer/turns';

/** Ticks from when a frame is in Redis until its announcement arrives. */
type Lag = (camera: number) => number;

const NAMES = ['gate', 'yard', 'dock', 'hall'];

interface Share {
  readonly served: readonly number[];
  /** Ticks since capture, of the frames that had a turn. */
  readonly ages: readonly number[];
}

/** Cameras capture a frame every `period` ticks, a few ticks after one another; the handler takes `work`. */
async function share(lag: Lag, period: number, work: number, ticks = 20_000): Promise<Share> {
  const turns = new Turns<ReturnType<typeof frame>>(1, true);
  const overtaken = new Overtaken();
  const latest = new Map<string, string>();
  const store = { text: (key: string) => Promise.resolve(latest.get(key) ?? null) };
  const served = NAMES.map(() => 0);
  const ages: number[] = [];
  let arrivals: { at: number; frame: ReturnType<typeof frame> }[] = [];
  let freeAt = 0;
  for (let now = 0; now < ticks; now += 1) {
    for (const [index, name] of NAMES.entries()) {
      if (now % period !== index) continue;
      latest.set(`test:latest:${name}`, frame(name, now).key);
      arrivals.push({ at: now + lag(index), frame: frame(name, now) });
    }
    for (const { frame: one } of arrivals.filter(({ at }) => at === now)) turns.add(one);
    arrivals = arrivals.filter(({ at }) => at > now);
    if (now < freeAt) continue;
    for (let one = turns.next(now); one !== undefined; one = turns.next(now)) {
      if (await overtaken.has(one, store)) {
        turns.passedOver(one);
        continue;
      }
      served[NAMES.indexOf(one.camera)] = (served[NAMES.indexOf(one.camera)] ?? 0) + 1;
      ages.push(now - one.capturedAt);
      freeAt = now + work;
      turns.over(one, true);
      break;
    }
  }
  return { served, ages };
}

function frame(camera: string, capturedAt: number) {
  const key = frameKey('test', { camera, capturedAt, width: 64, height: 48, format: 'jpeg' });
  return { key, camera, capturedAt, isSuspect: false, isLate: false };
}

describe('cameras that are faster than the handler', () => {
  const cases: readonly { what: string; lag: Lag }[] = [
    { what: 'at once', lag: () => 0 },
    { what: 'a third of a period late', lag: () => 37 },
    { what: 'most of a period late', lag: () => 90 },
    { what: 'after the next frame was captured', lag: () => 150 },
    { what: 'several periods late', lag: () => 400 },
    { what: 'one at once and the others later and later', lag: (camera) => camera * 45 },
    { what: 'one late and the others at once', lag: (camera) => (camera === 3 ? 160 : 0) },
  ];
  for (const { what, lag } of cases)
    it(`share it equally when frames are announced ${what}`, async () => {
      for (const period of [97, 110, 130]) {
        const { served, ages } = await share(lag, period, 101);
        const [least, most] = [Math.min(...served), Math.max(...served)];
        assert.ok(most - least <= 0.2 * most, `period ${period}: ${String(served)}`);
        const stalest = Math.max(...ages) - Math.max(...NAMES.map((_name, index) => lag(index)));
        assert.ok(stalest <= 2 * period + 101, `period ${period}: ${stalest}`);
      }
    });
});
