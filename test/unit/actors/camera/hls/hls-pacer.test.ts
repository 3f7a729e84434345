/** The pacer, over simulated hours: a sender's clock and ours, bursts that come late, and times that restart. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pacer } from '../../../../../src/actors/camera/hls/pacer';

const FPS = 10;
/** The frame rate of long streams. */
const SLOW_FPS = 2;

interface Played {
  /** When each packet was due, and when it was captured, by our clock. */
  readonly packets: readonly {
    readonly dueMs: number;
    readonly capturedMs: number;
    readonly cameMs: number;
  }[];
}

interface Script {
  readonly segmentMs?: number;
  readonly segments: number;
  readonly fps?: number;
  /** The sender's clock runs this many times as fast as ours. */
  readonly speed?: number;
  /** By how much segment n is noticed late. */
  readonly lateMs?: (n: number) => number;
  /** Added to all times of segment n; it is announced when `marks` says so. */
  readonly shiftMs?: (n: number) => number;
  readonly marks?: (n: number) => boolean;
  readonly lost?: (n: number) => boolean;
}

/** Plays a stream: two segments exist at the start; each later one arrives when it is complete. */
function play({
  segmentMs = 2000,
  segments,
  fps = FPS,
  speed = 1,
  lateMs,
  shiftMs,
  marks,
  lost,
}: Script): Played {
  const pacer = new Pacer(segmentMs);
  const packets: Played['packets'][number][] = [];
  let missingMs = 0;
  for (let n = 0; n < segments; n++) {
    const completeMs = ((n + 1) * segmentMs) / speed;
    const cameMs = n < 2 ? (2 * segmentMs) / speed : completeMs + (lateMs?.(n) ?? 0);
    if (lost?.(n) === true) {
      missingMs += segmentMs;
      continue;
    }
    if (n >= 2) pacer.burst(cameMs);
    if (missingMs > 0 || marks?.(n) === true) pacer.restart(missingMs);
    missingMs = 0;
    for (let ms = n * segmentMs; ms < (n + 1) * segmentMs; ms += 1000 / fps)
      packets.push({ dueMs: pacer.due(ms + (shiftMs?.(n) ?? 0), cameMs), capturedMs: ms / speed, cameMs });
  }
  return { packets };
}

function steps({ packets }: Played): number[] {
  return packets.slice(1).map(({ dueMs }, i) => dueMs - (packets[i]?.dueMs ?? 0));
}

function delays({ packets }: Played): number[] {
  return packets.map(({ dueMs, capturedMs }) => dueMs - capturedMs);
}

function assertNeverEarlyNorBack(played: Played): void {
  assert.ok(played.packets.every(({ dueMs, cameMs }) => dueMs >= cameMs));
  assert.ok(steps(played).every((step) => step >= 0));
}

describe('Pacer', () => {
  it('spreads the packets of a burst over their duration', () => {
    const played = play({ segments: 10 });
    assertNeverEarlyNorBack(played);
    for (const step of steps(played)) assert.ok(Math.abs(step - 100) <= 3.1, String(step));
  });

  for (const segmentMs of [500, 1000, 2000, 6000, 10_000])
    it(`keeps a reserve of slightly more than half a segment of ${segmentMs} ms`, () => {
      const played = play({ segmentMs, segments: Math.ceil(300_000 / segmentMs) });
      const last = delays(played).at(-1) ?? 0;
      assert.ok(last <= segmentMs + segmentMs / 2 + 510, String(last));
      assert.ok(last >= segmentMs + 0.6 * (segmentMs / 2 + 500), String(last));
    });

  for (const segmentMs of [1000, 2000, 6000])
    it(`has that reserve from its first segment of ${segmentMs} ms`, () => {
      // The first that is new is noticed as late as any can be; the fourth needs a new ffmpeg.
      const lateMs = (n: number): number => segmentMs / 2 + (n >= 4 ? 400 : 0);
      const played = play({ segmentMs, segments: 12, lateMs });
      assertNeverEarlyNorBack(played);
      assert.ok(steps(played).every((step) => step < 110));
    });

  for (const speed of [1.0002, 0.9998, 1.002, 0.998])
    it(`does not drift in six hours with a sender's clock ${speed} times as fast`, () => {
      const played = play({ segments: 10_800, fps: SLOW_FPS, speed });
      assertNeverEarlyNorBack(played);
      const settled = delays(played).slice(300 * SLOW_FPS);
      assert.ok(Math.max(...sampled(settled)) < 3850 && Math.min(...sampled(settled)) > 2650);
      assert.ok(steps(played).every((step) => step * SLOW_FPS > 900 && step * SLOW_FPS < 1100));
    });

  it('does not pause if segments are noticed up to half of their length late', () => {
    const played = play({ segments: 500, lateMs: (n) => (n < 20 ? 0 : (n * 377) % 1000) });
    assertNeverEarlyNorBack(played);
    assert.ok(steps(played).every((step) => step < 110));
  });

  it('continues at once after a late burst, and makes up the delay', () => {
    const played = play({ segments: 200, lateMs: (n) => (n === 50 ? 3000 : 0) });
    assertNeverEarlyNorBack(played);
    const holes = steps(played).filter((step) => step > 110);
    assert.equal(holes.length, 1);
    assert.ok((holes[0] ?? 0) < 3000);
    assert.ok((delays(played).at(-1) ?? 0) < 3550);
  });

  it('continues without a pause or a rush when times restart, announced or not', () => {
    for (const marks of [(n: number) => n % 3 === 0, () => false])
      for (const by of [-1, 1, 1000]) {
        const played = play({ segments: 60, shiftMs: (n) => Math.floor(n / 3) * by * 40_000, marks });
        assertNeverEarlyNorBack(played);
        assert.ok(steps(played).every((step) => step > 90 && step < 110));
      }
  });

  it('skips the duration of lost packets', () => {
    const played = play({ segments: 20, lost: (n) => n === 10 });
    const holes = steps(played).filter((step) => step > 110);
    assert.equal(holes.length, 1);
    assert.ok(Math.abs((holes[0] ?? 0) - 2100) < 100);
  });

  it('releases packets without times, or with equal times, in order', () => {
    const pacer = new Pacer(2000);
    assert.deepEqual(
      [undefined, 0, undefined, 100, 100, 100].map((time) => pacer.due(time, 50)),
      [50, 550, 550, 650, 650, 650],
    );
  });
});

/** Math.max does not accept a million arguments. */
function sampled(values: readonly number[]): number[] {
  return values.filter((_, i) => i % 20 === 0);
}
