/** Late pictures on links of every kind, in simulated time: detected, dated, bounded, and without false alarms. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rounds, seededRandom } from '../../../../../lab/random';
import { simulateLink, type SimulatedLink, type SimulatedOutcome } from '../../../../../lab/simulated-link';

const MINUTE_S = 60;
const HOUR_S = 3600;
/** Most causes of a false alarm occur within two minutes. */
const LONG_S = (2 + rounds(3)) * MINUTE_S;

const worst = (outcome: SimulatedOutcome, fromMs = 0) =>
  Math.max(
    ...outcome.packets
      .filter(({ at }) => at >= fromMs)
      .map(({ trueMs, exactMs }) => Math.abs(trueMs - exactMs)),
  );

describe('a feed whose pictures arrive on time', () => {
  const cases: Record<string, Partial<SimulatedLink>> = {
    steadily: {},
    'each with the next': { withNext: true },
    'each with the next, over a link that is nearly full': { withNext: true, speed: () => 1.2 },
    'with a keyframe every ten seconds': { keyframeMs: 10_000 },
    'one a second': { fps: 1 },
    'of one size': { equal: true },
    'through a network that jitters by 80 ms': { jitterMs: 80 },
    'over a link that is nearly full': { speed: () => 1.2 },
    'with times from 2^32 on': { media: (ms) => ms + 2 ** 32 },
    'with times of minus an hour': { media: (ms) => ms - 3_600_000 },
    'with times that jump 4 s back every 5 s': { media: (ms) => ms - 4000 * Math.floor(ms / 5000) },
    'with times that jump 4 s back every 5 s, equal sizes': {
      media: (ms) => ms - 4000 * Math.floor(ms / 5000),
      equal: true,
    },
    'with single times hours ahead': {
      media: (ms, n) => ms + (n % 50 === 7 ? 37_600_000 : 0) - (n % 50 === 13 ? 9_800_000 : 0),
    },
    'with times that wrap at 2^32 ticks': { media: (ms) => (ms + 47_721_858_800 - 3000) % (2 ** 32 / 90) },
    'with times that go back by hours once': { media: (ms) => ms - (ms > 60_000 ? 40_000_000 : 0) },
    'with times that go on hours later': { media: (ms) => ms + (ms > 60_000 ? 11_930_465 : 0) },
    'with pictures out of display order': {
      media: (ms, n) => ms + (n % 4 === 0 ? 120 : -40),
      outOfOrder: true,
    },
    'by a quartz 100 ppm slow, for a day': { media: (ms) => ms * 0.9999, fps: 1, seconds: 24 * HOUR_S },
    'by a quartz 100 ppm fast, for a day': { media: (ms) => ms * 1.0001, fps: 1, seconds: 24 * HOUR_S },
    'with times of 30 fps at 29.97': { media: (ms) => ms * 0.999, fps: 10, seconds: HOUR_S },
    'with times that run a tenth fast': { media: (ms) => ms * 1.1 },
  };
  for (const [what, link] of Object.entries(cases))
    it(`${what}, is left alone, and no picture is marked`, (t) => {
      const outcome = simulateLink(seededRandom(t), { seconds: LONG_S, ...link });
      assert.deepEqual(outcome.news, []);
      assert.deepEqual(
        outcome.packets.filter(({ markedMs }) => markedMs !== undefined),
        [],
      );
    });

  for (const rate of [0, 0.5, 0.9, 0.98, 0.995])
    for (const equal of [false, true])
      it(`with times that run ${rate} times as fast (${equal ? 'one size' : 'sizes differ'}) is not reopened forever`, (t) => {
        const outcome = simulateLink(seededRandom(t), {
          ...{ seconds: HOUR_S / 2, fps: 5, media: (ms: number) => ms * rate, equal },
        });
        assert.ok(outcome.reopenings <= (equal ? 2 : 0), String(outcome.reopenings));
        // With pictures of one size, times that run slow look like a slow link: they are treated, and reported, as late.
        if (equal && rate > 0) return;
        const late = outcome.packets.filter(({ at }) => at > 10 * MINUTE_S * 1000);
        assert.ok(late.every(({ exactMs }) => exactMs < 500));
        assert.deepEqual(outcome.news, []);
      });

  it("is distinguished from a late one by the sender's clock if its times run slow and its pictures have one size", (t) => {
    const outcome = simulateLink(seededRandom(t), {
      ...{ seconds: HOUR_S, fps: 10, media: (ms: number) => ms * 0.9, equal: true, senderMs: () => 0 },
    });
    assert.ok(outcome.reopenings <= 1, String(outcome.reopenings));
    assert.ok(outcome.packets.slice(-1000).every(({ exactMs }) => exactMs === 0));
  });

  it('is left alone when its clock is set', (t) => {
    for (const stepMs of [-3_600_000, -3000, 3000, 3_600_000]) {
      const senderMs = (ms: number) => (ms > 60_000 ? stepMs : 0);
      assert.deepEqual(simulateLink(seededRandom(t), { seconds: 3 * MINUTE_S, senderMs }).news, []);
    }
  });
});

describe('a link slower than the stream', () => {
  for (const [speed, fps, keyframeMs, withNext = false] of [
    [0.3, 25, 1000],
    [0.6, 25, 1000, true],
    [0.6, 10, 1000, true],
    [0.9, 25, 2000, true],
    [0.6, 25, 1000],
    [0.6, 10, 2000],
    [0.6, 25, 4000],
    [0.8, 25, 1000],
    [0.95, 15, 1000],
  ] as const)
    it(`(${speed}, ${fps} fps, a keyframe every ${keyframeMs} ms${withNext ? ', each with the next' : ''}) delays pictures within a bound, and is reported with its rates`, (t) => {
      const outcome = simulateLink(seededRandom(t), {
        ...{ seconds: 10 * MINUTE_S, fps, keyframeMs, withNext, speed: () => speed },
      });
      assert.ok(outcome.reopenings >= 4, `${outcome.reopenings} times opened anew`);
      for (const { trueMs } of outcome.packets) assert.ok(trueMs <= 8500, `${trueMs} ms late`);
      for (const one of outcome.news) {
        assert.ok(one.kind === 'reopen');
        assert.ok(Math.abs(one.arrivesKbps / one.streamKbps - speed) < 0.12, JSON.stringify(one));
      }
      const late = outcome.packets.filter(({ trueMs }) => trueMs > 3000);
      assert.ok(late.every(({ markedMs }) => markedMs !== undefined));
    });

  it('dates pictures by when they were taken once the delay is known: the first one was late too', (t) => {
    const outcome = simulateLink(seededRandom(t), { seconds: 5 * MINUTE_S, speed: () => 0.6 });
    const errors = outcome.packets
      .filter(({ trueMs }) => trueMs > 4500)
      .map((one) => Math.abs(one.trueMs - one.exactMs));
    assert.ok(Math.max(...errors) <= 250, String(Math.max(...errors)));
  });

  it('whose times go back by hours does not stay late forever because of outdated measurements', (t) => {
    const outcome = simulateLink(seededRandom(t), {
      ...{ seconds: 5 * MINUTE_S, media: (ms: number) => ms - (ms > 65_000 ? 40_000_000 : 0) },
      speed: (ms: number) => (ms > 60_000 && ms < 67_000 ? 0.6 : 2),
    });
    assert.ok(outcome.packets.slice(-1000).every(({ exactMs }) => exactMs === 0));
  });

  it('that becomes slow is detected, and one that soon recovers is left alone', (t) => {
    const speed = (ms: number) => (ms > 60_000 && ms < 69_000 ? 0.6 : 2);
    const short = simulateLink(seededRandom(t), { seconds: 3 * MINUTE_S, speed });
    assert.deepEqual(short.news, []);
    assert.ok(worst(short) < 500, String(worst(short)));
    const long = simulateLink(seededRandom(t), {
      ...{ seconds: 3 * MINUTE_S, speed: (ms: number) => (ms > 60_000 ? 0.6 : 2) },
    });
    assert.ok(long.news.every(({ kind, at }) => kind === 'reopen' && at > 65_000));
    assert.ok(long.reopenings >= 4);
  });

  it('to a camera that drops queued pictures is reported once, and not reopened', (t) => {
    const speed = (ms: number) => (ms < 120_000 ? 0.6 : 3);
    const outcome = simulateLink(seededRandom(t), { seconds: 4 * MINUTE_S, speed, queueMs: 3000 });
    assert.equal(outcome.reopenings, 0);
    const kinds = outcome.news.map(({ kind }) => kind);
    assert.ok(kinds.includes('tell') && kinds.at(-1) === 'on-time', kinds.join());
  });

  it('whose pictures all have one size is reopened twice, then reported and marked', (t) => {
    const outcome = simulateLink(seededRandom(t), { seconds: 5 * MINUTE_S, speed: () => 0.6, equal: true });
    assert.deepEqual(
      outcome.news.map(({ kind }) => kind),
      ['reopen', 'reopen', 'tell'],
    );
    assert.ok(
      outcome.packets.slice(-500).every(({ markedMs = 0, trueMs }) => Math.abs(markedMs - trueMs) < 500),
    );
  });

  it("whose pictures all have one size is reopened as often as needed if the sender's clock shows that they are late", (t) => {
    const outcome = simulateLink(seededRandom(t), {
      ...{ seconds: 5 * MINUTE_S, speed: () => 0.7, equal: true, senderMs: () => 0 },
    });
    assert.ok(outcome.reopenings > 5);
    assert.ok(outcome.news.every(({ kind }) => kind === 'reopen'));
  });
});

describe('a link with pauses', () => {
  it('of 2 s every 10 s is left alone, and its pictures are dated by when they were taken', (t) => {
    for (const speed of [3, Infinity]) {
      const outcome = simulateLink(seededRandom(t), {
        ...{ seconds: 10 * MINUTE_S, silent: (ms: number) => ms % 10_000 >= 8000, speed: () => speed },
      });
      assert.deepEqual(outcome.news, []);
      assert.ok(worst(outcome) <= 450, String(worst(outcome)));
      assert.ok(Math.max(...outcome.packets.map(({ markedMs = 0 }) => markedMs)) > 1500);
    }
  });

  it('after which it does not catch up is reopened when its pictures are too old', (t) => {
    const outcome = simulateLink(seededRandom(t), {
      ...{ seconds: 5 * MINUTE_S, silent: (ms: number) => ms % 10_000 >= 8000, speed: () => 1.02 },
    });
    assert.ok(outcome.reopenings >= 3, String(outcome.reopenings));
  });
});
