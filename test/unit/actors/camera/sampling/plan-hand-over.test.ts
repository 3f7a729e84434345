/** A camera that moves from one node of a fleet to another: the numbers of its periods continue. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Sample } from '../../../../../src/actors/camera/sampling/sample';
import { SamplePlan } from '../../../../../src/actors/camera/sampling/sample-plan';
import { numbered, type Numbered } from '../../../../../src/protocol/numbered';
import { rounds, seededRandom, type Random } from '../../../../../lab/random';

const T = 1_700_000_000_000;
const PACKET_MS = 40;

interface Feed {
  readonly phaseMs: number;
  readonly keyframeMs: number;
  readonly periodMs: number;
  /** Jitter of arrivals, separate at each node. */
  readonly jitterMs: number;
}

/** The pictures that a node takes from `fromMs` until `toMs`. */
function take(
  feed: Feed,
  random: Random,
  [fromMs, toMs]: readonly [number, number],
  before?: Numbered,
): Sample[] {
  const plan = new SamplePlan(feed.periodMs, 'auto', { before });
  const samples: Sample[] = [];
  let isOpen = false;
  for (let ms = 0; ms < toMs; ms += PACKET_MS) {
    const key = ms % feed.keyframeMs === 0;
    // A decoder begins with a keyframe.
    isOpen ||= key && ms >= fromMs;
    if (!isOpen) continue;
    const at = T + feed.phaseMs + ms + Math.floor(feed.jitterMs * random.next());
    const decision = plan.decide(at, { key, state: 'whole', inOrder: true, needed: true }, at - T);
    if (decision.kind === 'take') samples.push(decision.sample);
  }
  return samples;
}

describe('a camera that moves', () => {
  for (const [periodMs, keyframeMs] of [
    [1000, 1000],
    [1000, 2000],
    [2000, 1000],
    [500, 1000],
  ] as const)
    it(`with a picture every ${periodMs} ms and a keyframe every ${keyframeMs} skips no period, wherever its keyframes fall`, (t) => {
      const random = seededRandom(t);
      const stepMs = periodMs / rounds(periodMs / 7);
      for (let phaseMs = 0; phaseMs < periodMs; phaseMs += stepMs) {
        const feed = { phaseMs, keyframeMs, periodMs, jitterMs: 30 };
        const openedMs = 20_000 + Math.floor(random.next() * 3000);
        const former = take(feed, random, [0, 40_000]);
        // Offered some pictures before the other node opened it.
        const known = former.filter(({ capturedAt }) => capturedAt < T + openedMs);
        const offered = known.at(-1 - Math.floor(random.next() * 4));
        assert.ok(offered !== undefined);
        const newer = take(feed, random, [openedMs, 40_000], numbered(offered));
        const [first] = newer;
        assert.ok(first !== undefined);
        // The former node stops when the other has a picture.
        const older = former.filter(({ capturedAt }) => capturedAt < first.capturedAt + PACKET_MS);
        const taken = new Set(older.map(({ sequence }) => sequence));
        const announced = [...older, ...newer.filter(({ sequence }) => !taken.has(sequence))];
        assert.equal(first.missed, undefined);
        for (const [i, { capturedAt, sequence }] of announced.slice(1).entries()) {
          const last = announced[i];
          assert.ok(last !== undefined);
          if (capturedAt - last.capturedAt <= 1.6 * periodMs && sequence === last.sequence + 1) continue;
          const around = JSON.stringify(announced.slice(Math.max(0, i - 2), i + 4));
          assert.fail(`phase ${phaseMs}, opened at ${openedMs}: ${around}`);
        }
      }
    });

  it('is numbered by its own times if the report about the other node does not fit', (t) => {
    const feed = { phaseMs: 300, keyframeMs: 1000, periodMs: 1000, jitterMs: 0 };
    const random = seededRandom(t);
    const alone = take(feed, random, [0, 5000]);
    for (const sequence of [0, T / 1000 + 7, T / 1000 - 2])
      assert.deepEqual(take(feed, random, [0, 5000], { at: T + 300, sequence }), alone);
  });
});

describe('the number of a picture', () => {
  it('follows its arrival time, whatever the camera’s clock says', () => {
    const frame = { capturedAt: T + 5000, sequence: 7 };
    assert.equal(numbered({ ...frame, clock: 'camera', clockSkewMs: 4000 }).at, T + 1000);
    assert.equal(numbered({ ...frame, clock: 'arrival', clockSkewMs: 90_000 }).at, T + 5000);
    assert.equal(numbered(frame).at, T + 5000);
  });
});
