/** The plan on feeds of every kind, in simulated time: one picture a period, and no more decoded than that needs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SamplePlan, type Coded } from '../../../../../src/actors/camera/sampling/sample-plan';
import type { Decision, Sample } from '../../../../../src/actors/camera/sampling/sample';
import type { Sampling } from '../../../../../src/config/topology';
import { seededRandom, type Random } from '../../../../../lab/random';

const T = 1_700_000_000_000;
const MINUTES_10 = 600_000;

interface Feed {
  /** Milliseconds from one keyframe to the next. */
  readonly keyframes: (elapsedMs: number) => number;
  readonly fps?: number;
  readonly phaseMs?: number;
  readonly jitterMs?: number;
  readonly periodMs?: number;
  readonly sampling?: Sampling;
  readonly lengthMs?: number;
}

interface Outcome {
  readonly samples: readonly Sample[];
  readonly spacings: readonly number[];
  /** Packets decoded, and how many there were. */
  readonly decoded: number;
  readonly packets: number;
}

function play(random: Random, feed: Feed): Outcome {
  const {
    fps = 25,
    phaseMs = 0,
    jitterMs = 0,
    periodMs = 1000,
    sampling = 'auto',
    lengthMs = MINUTES_10,
  } = feed;
  const plan = new SamplePlan(periodMs, sampling);
  const samples: Sample[] = [];
  let [decoded, held, packets, nextKey] = [0, 0, 0, 0];
  for (let elapsed = 0; elapsed < lengthMs;) {
    const key = elapsed >= nextKey;
    if (key) [nextKey, held] = [elapsed + feed.keyframes(elapsed), 0];
    const decision = plan.decide(T + phaseMs + elapsed + jitterMs * random.next(), coded(key), elapsed);
    packets++;
    if (decision.kind === 'take') samples.push(decision.sample);
    if (decision.kind === 'hold') held++;
    else if (decision.kind !== 'skip') [decoded, held] = [decoded + held + 1, 0];
    elapsed = Math.min(elapsed + 1000 / fps, Math.max(nextKey, elapsed + 1));
  }
  const spacings = samples.slice(1).map(({ capturedAt }, i) => capturedAt - (samples[i]?.capturedAt ?? 0));
  return { samples, spacings, decoded, packets };
}

/** The guarantee: one a period, never two closer than half of one, never a hole over one and a half. */
function assertSteady(
  { samples, spacings }: Outcome,
  { periodMs = 1000, lengthMs = MINUTES_10 }: Feed,
): void {
  const expected = lengthMs / periodMs;
  assert.ok(Math.abs(samples.length - expected) <= 1, `${samples.length} of ${expected}`);
  assert.ok(Math.min(...spacings) >= periodMs / 2, `closest ${Math.min(...spacings)} ms`);
  assert.ok(Math.max(...spacings) <= 1.5 * periodMs, `farthest ${Math.max(...spacings)} ms`);
  assert.deepEqual(
    samples.flatMap(({ missed }) => missed ?? []),
    [],
  );
  for (const [i, { sequence, capturedAt }] of samples.entries()) {
    assert.equal(sequence, (samples[0]?.sequence ?? 0) + i, 'consecutive');
    assert.ok(
      Math.abs(sequence - Math.floor(capturedAt / periodMs)) <= 1,
      'the period it falls into, or its neighbour',
    );
  }
}

/** A picture of a stream without reordering. */
function coded(key: boolean): Coded {
  return { key, state: 'whole', inOrder: true, needed: true };
}

/** The decision on a packet that arrives at its own time. */
function decide(plan: SamplePlan, at: number, key: boolean): Decision {
  return plan.decide(at, coded(key), at);
}

describe('a plan', () => {
  const every = (ms: number) => () => ms;
  /** Drifts in cycles of 50 s, in which keyframes shift by 0.8 s. */
  const drift = (ms: number) =>
    1000 + Math.min(40, Math.max(-40, 80 * Math.sin((2 * Math.PI * ms) / 50_000)));
  /** Decoded packets a second at most. */
  const rows: readonly [string, (random: Random) => Feed, number][] = [
    ['a keyframe each second', () => ({ keyframes: every(1000) }), 1.1],
    [
      'a keyframe each second, on the border of periods',
      () => ({ keyframes: every(1000), phaseMs: 990, jitterMs: 30 }),
      1.1,
    ],
    ['keyframes 0.96 s apart', () => ({ keyframes: every(960) }), 4],
    ['keyframes 1.04 s apart', () => ({ keyframes: every(1040) }), 4],
    [
      'keyframes drifting from 0.96 to 1.04 s and back',
      () => ({ keyframes: (ms) => 1000 + 40 * Math.sin(ms / 50_000) }),
      4,
    ],
    [
      'keyframes 0.96 to 1.04 s apart at random',
      (random) => ({ keyframes: () => random.between(960, 1040) }),
      4,
    ],
    ['a keyframe each 0.5 s', () => ({ keyframes: every(500) }), 1.1],
    ['a keyframe each 0.7 s', () => ({ keyframes: every(700) }), 1.1],
    ['a keyframe each 2 s', () => ({ keyframes: every(2000), phaseMs: 300 }), 14],
    ['a keyframe each 10 s', () => ({ keyframes: every(10_000), phaseMs: 300 }), 24],
    ['only keyframes, 10 a second', () => ({ keyframes: every(0), fps: 10, jitterMs: 20 }), 1.1],
    ['only keyframes, one a second', () => ({ keyframes: every(0), fps: 1, jitterMs: 40 }), 1.1],
    ['everything decoded', () => ({ keyframes: every(1000), sampling: 'all', jitterMs: 10 }), 25.1],
    ['nothing but keyframes', () => ({ keyframes: every(1000), sampling: 'keyframes', jitterMs: 10 }), 1.1],
    ...[0, 250, 500, 750].map((phaseMs): [string, () => Feed, number] => [
      `nothing but keyframes, drifting from 0.96 to 1.04 s and back, first ${phaseMs} ms into a period`,
      () => ({ keyframes: drift, sampling: 'keyframes', phaseMs, jitterMs: 10 }),
      1.1,
    ]),
    ...[960, 1040, 4000, 10_000].flatMap((ms) =>
      [0, 200, 400, 600, 800].map((phaseMs): [string, () => Feed, number] => [
        `keyframes ${ms} ms apart, the first ${phaseMs} ms into a period, packets up to 30 ms late`,
        () => ({ keyframes: every(ms), phaseMs, jitterMs: 30 }),
        24,
      ]),
    ),
    ['5 pictures a second', () => ({ keyframes: every(2000), periodMs: 200 }), 25],
    ['a picture each 10 s', () => ({ keyframes: every(2000), periodMs: 10_000 }), 0.3],
  ];
  for (const [what, feedOf, decodedPerSecond] of rows)
    it(`takes one picture a period from a feed with ${what}, decoding ${decodedPerSecond} packets a second at most`, (t) => {
      const random = seededRandom(t);
      const feed = feedOf(random);
      const outcome = play(random, feed);
      assertSteady(outcome, feed);
      const perSecond = outcome.decoded / (MINUTES_10 / 1000);
      assert.ok(perSecond <= decodedPerSecond, `${perSecond} a second`);
    });

  it('follows an interval that changes from 1 to 10 s and back, without a gap', (t) => {
    const feed: Feed = { keyframes: (ms) => (ms > 100_000 && ms < 300_000 ? 10_000 : 1000), phaseMs: 300 };
    const outcome = play(seededRandom(t), feed);
    assertSteady(outcome, feed);
    assert.ok(outcome.decoded < 0.5 * outcome.packets, 'keyframes alone are decoded again afterwards');
  });

  it('of keyframes only reports which periods had none', (t) => {
    const { samples } = play(seededRandom(t), {
      keyframes: every(3000),
      sampling: 'keyframes',
      lengthMs: 30_000,
    });
    assert.deepEqual(
      samples.map(({ capturedAt }) => capturedAt - T),
      [0, 3000, 6000, 9000, 12_000, 15_000, 18_000, 21_000, 24_000, 27_000],
    );
    assert.deepEqual(samples[1]?.missed, { firstSequence: 1_700_000_001, lastSequence: 1_700_000_002 });
  });

  it('waits for a picture with which decoding can begin, and again after the feed was reopened', () => {
    const plan = new SamplePlan(1000);
    const undecodable = { ...coded(false), state: 'undecodable' } as const;
    assert.equal(plan.decide(T, undecodable, T).kind, 'skip');
    assert.equal(decide(plan, T + 40, true).kind, 'take');
    plan.reopen();
    assert.equal(plan.decide(T + 3000, undecodable, T + 3000).kind, 'skip');
    assert.deepEqual(decide(plan, T + 3040, true), {
      kind: 'take',
      sample: {
        capturedAt: T + 3040,
        sequence: 1_700_000_003,
        missed: { firstSequence: 1_700_000_001, lastSequence: 1_700_000_002 },
      },
    });
  });

  it('numbers periods by the clock, so a restart continues the count', () => {
    const [before] = [decide(new SamplePlan(1000), T + 999, true)];
    const [after] = [decide(new SamplePlan(1000), T + 1000, true)];
    assert.deepEqual(before, { kind: 'take', sample: { capturedAt: T + 999, sequence: 1_700_000_000 } });
    assert.deepEqual(after, { kind: 'take', sample: { capturedAt: T + 1000, sequence: 1_700_000_001 } });
  });

  it('accounts for every period exactly once, as a sample or within a gap, however packets arrive', (t) => {
    const random = seededRandom(t);
    for (const periodMs of [200, 333.3, 1000, 10_000]) {
      const plan = new SamplePlan(periodMs);
      let at = T;
      const covered: number[] = [];
      for (let i = 0; i < 500; i++) {
        at += random.between(1, Math.ceil(random.pick([0.1, 1, 3]) * periodMs));
        const decision = plan.decide(at, coded(random.next() < 0.5), at);
        if (decision.kind !== 'take') continue;
        const { sequence, missed } = decision.sample;
        for (let n = missed?.firstSequence ?? sequence; n < sequence; n++) covered.push(n);
        covered.push(sequence);
      }
      assert.deepEqual(
        covered,
        covered.map((_, i) => (covered[0] ?? 0) + i),
        `period ${periodMs}`,
      );
    }
  });
});
