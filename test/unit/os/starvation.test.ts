/** How much of a silence this process and its programs spent without a processor. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LOOK_MS, Starvation } from '../../../src/os/starvation';
import type { ProcessActivity } from '../../../src/os/process-activity';

/** Processes as the kernel would report them, changed by the test. */
function stage(pids: number[]) {
  const seen = new Map<number, ProcessActivity>(
    pids.map((pid) => [pid, { ranMs: 0, waitedMs: 0, state: 'other' }]),
  );
  const change = (pid: number, change: Partial<ProcessActivity>) =>
    seen.set(pid, { ranMs: 0, waitedMs: 0, state: 'other', ...seen.get(pid), ...change });
  return {
    starvation: new Starvation(
      () => [...seen.keys()],
      (pid) => seen.get(pid),
    ),
    seen,
    change,
  };
}

describe('starvation', () => {
  it('is none while all sleep', () => {
    const { starvation } = stage([1, 2]);
    for (let at = 0; at <= 10_000; at += LOOK_MS) starvation.look(at);
    assert.equal(starvation.since(0), 0);
  });

  it('is the time a program waited for a processor, even before the kernel has accounted for it', () => {
    const { starvation, change } = stage([1, 2]);
    starvation.look(0);
    change(2, { state: 'runnable' });
    starvation.look(250);
    starvation.look(500);
    assert.equal(starvation.since(0), 500);
    // The wait is over, and accounted for in full.
    change(2, { state: 'other', waitedMs: 600, ranMs: 50 });
    starvation.look(750);
    assert.equal(starvation.since(0), 600);
    assert.equal(starvation.since(500), 100);
  });

  it('is not the time a program ran', () => {
    const { starvation, change } = stage([1]);
    starvation.look(0);
    for (let at = 250; at <= 5000; at += 250) {
      change(1, { state: 'runnable', ranMs: at });
      starvation.look(at);
    }
    assert.equal(starvation.since(0), 0);
  });

  it('is at most the time that has passed, however many wait', () => {
    const { starvation, change } = stage([1, 2, 3]);
    starvation.look(0);
    for (const pid of [1, 2, 3]) change(pid, { waitedMs: 240 });
    starvation.look(250);
    assert.equal(starvation.since(0), 250);
  });

  it('of a program that started meanwhile counts from when it was first seen', () => {
    const { starvation, change } = stage([1]);
    starvation.look(0);
    change(2, { waitedMs: 5000 });
    starvation.look(250);
    assert.equal(starvation.since(0), 0);
    change(2, { waitedMs: 5100 });
    starvation.look(500);
    assert.equal(starvation.since(0), 100);
  });

  it('of a program that has ended stays counted', () => {
    const { starvation, seen, change } = stage([1, 2]);
    starvation.look(0);
    change(2, { waitedMs: 200 });
    starvation.look(250);
    seen.delete(2);
    starvation.look(500);
    assert.equal(starvation.since(0), 200);
  });

  it('is the time in which this process itself did not run, and reports that input may wait', () => {
    const { starvation } = stage([1]);
    assert.equal(starvation.look(0), false, 'nothing is known yet');
    assert.equal(starvation.look(250), true);
    assert.equal(starvation.look(60_250), false, 'it was stopped, or starved');
    assert.equal(starvation.since(0), 60_000 - 250);
    assert.equal(starvation.look(60_500), true);
  });

  it('is unknown for every process if the kernel reports none', () => {
    const starvation = new Starvation(
      () => [1],
      () => undefined,
    );
    starvation.look(0);
    assert.equal(starvation.look(250), true);
    assert.equal(starvation.since(0), 0);
  });
});
