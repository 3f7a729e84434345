/** The limits of the spool, of its disk and of the replay rate. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boundOf, overflow, type Holding, type OverflowReason } from '../../../../src/actors/store/bounds';
import { LowDisk } from '../../../../src/actors/store/low-disk';
import { LIVE_MS } from '../../../../src/actors/store/outbox';
import { Pace } from '../../../../src/actors/store/pace';
import type { SpoolSpec } from '../../../../src/config/topology';
import { BOUNDS } from './frames';

describe('a limit of the spool', () => {
  const held: Holding = { frames: 10, bytes: 100, oldestMs: 1000 };
  const rows: readonly [string, Partial<Holding>, Partial<SpoolSpec>, OverflowReason | undefined][] = [
    ['lets all stay within', {}, {}, undefined],
    ['of age is reached after it', { oldestMs: 60_000 }, {}, undefined],
    ['of age', { oldestMs: 60_001 }, {}, 'spool-age'],
    ['of bytes is reached after it', { bytes: 1000 }, {}, undefined],
    ['of bytes', { bytes: 1001 }, {}, 'spool-bytes'],
    ['of frames', { frames: 101 }, {}, 'spool-frames'],
    ['of live frames', { oldestMs: 5001 }, { replay: 'none' }, 'replay-none'],
    ['of live frames lets those stay that may be live', { oldestMs: 5000 }, { replay: 'none' }, undefined],
  ];
  for (const [what, holding, bounds, expected] of rows)
    it(what, () => {
      const reason = overflow({ ...held, ...holding }, { ...BOUNDS, ...bounds }, LIVE_MS);
      assert.equal(reason, expected);
      if (reason !== undefined) assert.match(boundOf(reason, BOUNDS), /spool\.\w+/);
    });
});

describe('a disk with too little room', () => {
  const look = { freeBytes: 900, minFreeBytes: 1000, removableBytes: 500, nowMs: 0 };

  it('asks for what it lacks, and for nothing if all that is there would not be enough', () => {
    for (const [changes, owed] of [
      [{}, 100],
      [{ freeBytes: 1000 }, 0],
      [{ freeBytes: 500 }, 500],
      [{ freeBytes: 499 }, 0],
      [{ removableBytes: 0 }, 0],
    ] as const)
      assert.equal(new LowDisk().owedBytes({ ...look, ...changes }), owed, JSON.stringify(changes));
  });

  it('asks once a minute while removals do not free any space', () => {
    const disk = new LowDisk();
    const asked: number[] = [];
    for (let nowMs = 0; nowMs < 180_000; nowMs += 1000)
      if (disk.owedBytes({ ...look, nowMs }) > 0) asked.push(nowMs);
    assert.deepEqual(asked, [0, 60_000, 120_000]);
  });

  it('asks again at once if removals helped', () => {
    const disk = new LowDisk();
    assert.equal(disk.owedBytes(look), 100);
    assert.equal(disk.owedBytes({ ...look, freeBytes: 960, nowMs: 1000 }), 40);
    assert.equal(disk.owedBytes({ ...look, freeBytes: 1000, nowMs: 2000 }), 0);
    assert.equal(disk.owedBytes({ ...look, nowMs: 3000 }), 100);
  });
});

describe('a pace', () => {
  it('lets a tenth of a second through at once, then keeps to its rate', () => {
    const pace = new Pace(100, 0);
    let gone = 0;
    for (let nowMs = 0; nowMs <= 1000; nowMs += 5)
      while (pace.waitMs(nowMs) === 0) {
        pace.take();
        gone++;
      }
    assert.equal(gone, 110);
  });

  it('reports how long the next must wait', () => {
    const pace = new Pace(2, 0);
    pace.take();
    assert.equal(pace.waitMs(0), 500);
    assert.equal(Math.round(pace.waitMs(400)), 100);
    assert.equal(pace.waitMs(500), 0);
  });
});
