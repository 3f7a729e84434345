/** Which frame a consumer works on next, how it subscribes, and what it remembers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lag } from '../../../src/consumer/lag';
import { SeenFrames } from '../../../src/consumer/seen-frames';
import { Subscription, type Intake } from '../../../src/consumer/subscription';
import { ALONE_MS, Turns, type Candidate } from '../../../src/consumer/turns';

function frame(key: string, changes: Partial<Candidate> = {}): Candidate {
  const [camera = '', at = '0'] = key.split(' ');
  return { key, camera, capturedAt: Number(at), isSuspect: false, isLate: false, ...changes };
}

/** Turns with these frames waiting. */
function turnsOf(limit: number, latestOnly: boolean, ...waiting: readonly Candidate[]): Turns<Candidate> {
  const turns = new Turns<Candidate>(limit, latestOnly);
  for (const one of waiting) turns.add(one);
  return turns;
}

/** Keys of those that may begin now. */
function begin(turns: Turns<Candidate>, nowMs = 0): string[] {
  const next = turns.next(nowMs);
  return next === undefined ? [] : [next.key, ...begin(turns, nowMs)];
}

describe('turns', () => {
  it('are given in order of arrival, up to the limit', () => {
    const [a, b, c] = [frame('a 1'), frame('b 1'), frame('c 1')];
    const turns = turnsOf(2, false, a, b, c);
    assert.deepEqual(begin(turns), ['a 1', 'b 1']);
    turns.over(a, true);
    assert.deepEqual(begin(turns), ['c 1']);
  });

  it('make a second delivery of a frame wait for the first, and let others pass it', () => {
    const first = frame('a 1');
    const turns = turnsOf(3, false, first, frame('a 1'), frame('b 1'));
    assert.deepEqual(begin(turns), ['a 1', 'b 1']);
    turns.over(first, true);
    assert.deepEqual(begin(turns), ['a 1']);
  });

  it('are given to a suspect alone, after those at work and before those that wait', () => {
    const a = frame('a 1');
    const turns = turnsOf(4, false, a);
    begin(turns);
    const [suspect, second] = [frame('s 1', { isSuspect: true }), frame('s 2', { isSuspect: true })];
    for (const one of [frame('b 1'), suspect, second]) turns.add(one);
    assert.deepEqual(begin(turns), []);
    turns.over(a, true);
    assert.deepEqual(begin(turns), ['s 1']);
    turns.over(suspect, true);
    assert.deepEqual(begin(turns), ['s 2']);
    turns.over(second, false);
    assert.deepEqual(begin(turns), ['b 1']);
    assert.equal(turns.hasSuspects, false);
  });

  it('do not let a suspect that hangs, or a frame that hangs before it, hold up the others forever', () => {
    const turns = turnsOf(3, false, frame('hangs 1'));
    begin(turns, 0);
    turns.add(frame('s 1', { isSuspect: true }));
    turns.add(frame('b 1'));
    assert.equal(turns.dueMs(0), ALONE_MS);
    assert.deepEqual(begin(turns, ALONE_MS), ['s 1']);
    assert.deepEqual(begin(turns, 2 * ALONE_MS), ['b 1']);
  });

  it('pause on a failure: one frame tries at a time, later and later, and the first success opens them', () => {
    const all = ['a 1', 'b 1', 'c 1', 'd 1'].map((key) => frame(key));
    const [a, b] = all as [Candidate, Candidate];
    const turns = turnsOf(2, false, ...all);
    begin(turns, 0);
    assert.deepEqual(turns.troubled(a, 10, 1), []);
    assert.deepEqual(turns.troubled(b, 20, 1), []);
    assert.ok(turns.isPaused);
    const waits: number[] = [];
    let nowMs = 20;
    for (let i = 0; i < 8; i += 1) {
      const waitMs = turns.dueMs(nowMs) ?? assert.fail();
      waits.push(waitMs);
      assert.equal(turns.next(nowMs + waitMs - 1), undefined);
      nowMs += waitMs;
      const probe = turns.next(nowMs) ?? assert.fail();
      assert.equal(turns.next(nowMs), undefined, 'one at a time');
      turns.troubled(probe, nowMs, 1);
    }
    assert.deepEqual(waits, [190, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    nowMs += 5000;
    const probe = turns.next(nowMs) ?? assert.fail();
    turns.over(probe, true);
    assert.equal(turns.isPaused, false);
    assert.equal(begin(turns, nowMs).length, 2);
  });

  it('do not end a pause for frames that began before it, nor for a frame that fails', () => {
    const [a, b, c] = [frame('a 1'), frame('b 1'), frame('c 1')];
    const turns = turnsOf(2, false, a, b, c);
    begin(turns, 0);
    turns.troubled(a, 10, 1);
    turns.over(b, true);
    assert.ok(turns.isPaused);
    const probe = turns.next(1000) ?? assert.fail();
    turns.over(probe, false);
    assert.ok(turns.isPaused);
  });

  it('attribute a failure to the frame if others do not have it for ten seconds', () => {
    const [bad, good] = [frame('bad 1'), frame('good 1')];
    const turns = turnsOf(1, false, bad);
    let nowMs = 0;
    for (let tries = 0; ; tries += 1) {
      assert.ok(tries < 100);
      nowMs += 6000;
      assert.equal(turns.next(nowMs), bad);
      if (turns.troubled(bad, nowMs, 0) === undefined) break;
      turns.add(good);
      nowMs += 6000;
      const next = turns.next(nowMs);
      if (next === bad) turns.troubled(bad, nowMs, 0);
      nowMs += 6000;
      if (next === bad) assert.equal(turns.next(nowMs), good);
      turns.over(good, true);
    }
    assert.ok(nowMs >= 10_000);
    turns.over(bad, false);
    assert.equal(turns.size, 0);
  });
});

describe('turns of latestOnly', () => {
  it('keep the newest of each camera and name the others', () => {
    const turns = turnsOf(1, true, frame('a 1'), frame('b 1'));
    assert.deepEqual(turns.add(frame('a 2')), [frame('a 1')]);
    const late = frame('a 1', { isLate: true });
    assert.deepEqual(turns.add(late), [late]);
    assert.equal(turns.size, 2);
  });

  it('serve the camera that has waited longest, one frame of each camera at a time', () => {
    const a = frame('a 1');
    const turns = turnsOf(2, true, a);
    assert.deepEqual(begin(turns), ['a 1']);
    turns.add(frame('a 2'));
    turns.add(frame('b 1'));
    assert.deepEqual(begin(turns), ['b 1']);
    turns.over(a, true);
    turns.add(frame('c 1'));
    assert.deepEqual(begin(turns), ['c 1'], 'c has had no turn yet');
  });

  it('continue after a clock was set back', () => {
    const first = frame('a 1000');
    const turns = turnsOf(1, true, first);
    begin(turns);
    turns.over(first, true);
    assert.deepEqual(turns.add(frame('a 10')), []);
    assert.deepEqual(turns.add(frame('a 20')), [frame('a 10')]);
    assert.deepEqual(begin(turns), ['a 20']);
  });

  it('give up a frame that failed when a newer one has arrived meanwhile', () => {
    const first = frame('a 1');
    const turns = turnsOf(1, true, first);
    begin(turns);
    turns.add(frame('a 2'));
    assert.deepEqual(turns.troubled(first, 0, 0), [first]);
    assert.equal(turns.size, 1);
  });
});

describe('a subscription', () => {
  it('begins with one frame, opens with the first that is not a suspect, and closes for suspects and pauses', async () => {
    const asked: number[] = [];
    const intake = { isClosed: false, isPaused: false, hasSuspects: false, atHand: 0 };
    const subscription = new Subscription({
      queue: { subscribe: async (prefetch) => void asked.push(prefetch) },
      window: 8,
      intake: (): Intake => intake,
      onFlowing: () => undefined,
    });
    const follow = async (changes: Partial<typeof intake>, delivered?: boolean) => {
      Object.assign(intake, changes);
      if (delivered !== undefined) subscription.delivered(delivered);
      await subscription.follow();
      return asked.at(-1);
    };
    assert.equal(await follow({}), 1);
    assert.equal(await follow({ hasSuspects: true, atHand: 1 }, true), 1);
    assert.equal(await follow({ hasSuspects: false, atHand: 1 }, false), 8);
    assert.equal(await follow({ hasSuspects: true, atHand: 3 }, true), 0);
    assert.equal(await follow({ hasSuspects: false, atHand: 0 }), 1);
    assert.equal(await follow({ atHand: 1 }, false), 8);
    assert.equal(await follow({ isPaused: true, atHand: 8 }), 0);
    assert.equal(await follow({ isPaused: true, atHand: 0 }), 1, 'a frame to try with');
    assert.equal(await follow({ isPaused: false, atHand: 7 }), 1, 'never more than one and a half windows');
    assert.equal(await follow({ atHand: 4 }), 8);
    assert.equal(await follow({ isClosed: true }), 0);
  });
});

describe('what a consumer remembers and reports', () => {
  it('forgets the oldest of many frames', () => {
    const seen = new SeenFrames();
    for (let i = 0; i <= 20_000; i += 1) seen.set(String(i), 'ack');
    assert.deepEqual([seen.get('0'), seen.get('1')], [undefined, 'ack']);
  });

  it('reports that handlers are too slow when frames have been late for a minute, but not for a backlog that passes', () => {
    const lag = new Lag();
    assert.equal(lag.note(60_000, 108_000, 0), undefined);
    assert.equal(lag.note(100, 108_000, 50_000), undefined);
    assert.equal(lag.note(60_000, 108_000, 60_000), undefined);
    assert.equal(lag.note(60_000, undefined, 60_000), undefined);
    assert.equal(lag.note(60_000, 108_000, 70_000), undefined);
    assert.match(lag.note(60_000, 108_000, 130_000) ?? '', /^frames wait 60\.0 s of the 108\.0 s/);
    assert.equal(lag.note(60_000, 108_000, 131_000), undefined);
  });
});
