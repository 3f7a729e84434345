/** The ledger: the fate of each period, derived from the reports that arrive. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CameraState } from '../../../src/contract/message';
import { Account } from '../../../src/ledger/account';
import { nextCause } from '../../../src/ledger/cause';
import { Ledger } from '../../../src/ledger/ledger';
import { Desk, FIRST, START, watching } from './desk';

describe('the ledger', () => {
  it('counts a frame as waiting, then as confirmed or dropped, and as nothing else afterwards', () => {
    const desk = watching();
    for (const offset of [0, 1, 2]) {
      desk.captured(FIRST + offset);
      desk.seconds(1);
    }
    assert.deepEqual(desk.fates(), ['0-2 waiting']);
    desk.ledger.delivered({ camera: 'cam', sequence: FIRST + 1 }, desk.now);
    desk.ledger.dropped({ camera: 'cam', sequence: FIRST }, 'spool-age', desk.now);
    desk.ledger.dropped({ camera: 'cam', sequence: FIRST + 1 }, 'spool-age', desk.now);
    desk.captured(FIRST + 1);
    assert.deepEqual(desk.fates(), ['0-0 dropped spool-age', '1-1 confirmed', '2-2 waiting']);
  });

  it('calls a period a gap some time after its end, and takes that back if a frame arrives late', () => {
    const desk = watching();
    desk.captured(FIRST);
    desk.seconds(3);
    assert.deepEqual(desk.fates(), ['0-0 waiting']);
    desk.seconds(2);
    assert.deepEqual(desk.fates(), ['0-0 waiting', '1-1 gap no-picture']);
    desk.captured(FIRST + 1);
    assert.deepEqual(desk.fates(), ['0-1 waiting']);
  });

  it('knows the reason: the fault of the feed, also for the seconds before it was detected', () => {
    const desk = watching();
    desk.captured(FIRST);
    desk.seconds(6);
    const fault = { code: 'stalled', message: 'no picture for 5000 ms' };
    desk.ledger.cameraState({ camera: 'cam', state: 'waiting', sinceMs: desk.wallMs, fault });
    desk.ledger.cameraState({ camera: 'cam', state: 'connecting', sinceMs: desk.wallMs });
    desk.seconds(3);
    desk.captured(FIRST + 9);
    assert.deepEqual(desk.fates(), ['0-0 waiting', '1-8 gap stalled', '9-9 waiting']);
  });

  it('knows the reason: the supervisor restarts the process of the camera, whose new process knows of no gap', () => {
    const desk = watching();
    desk.captured(FIRST);
    desk.pass(500);
    desk.ledger.cameraState({ camera: 'cam', state: 'restarting', sinceMs: desk.wallMs });
    desk.seconds(1);
    desk.ledger.cameraState({ camera: 'cam', state: 'connecting', sinceMs: desk.wallMs });
    desk.seconds(1);
    desk.captured(FIRST + 3);
    desk.seconds(1);
    assert.deepEqual(desk.fates(), ['0-0 waiting', '1-2 gap restarting', '3-3 waiting']);
    assert.deepEqual(desk.ledger.takeGaps(), [
      { camera: 'cam', firstSequence: FIRST + 1, lastSequence: FIRST + 2, missed: 2, reason: 'restarting' },
    ]);
  });

  it('accepts the report of the camera for a sample it lost', () => {
    const desk = watching();
    desk.captured(FIRST);
    desk.seconds(1);
    const lost = { camera: 'cam', firstSequence: FIRST + 1, lastSequence: FIRST + 1, missed: 1 };
    desk.ledger.missed({ ...lost, reason: 'spool-write' }, desk.now);
    desk.seconds(1);
    desk.captured(FIRST + 2);
    assert.deepEqual(desk.fates(), ['0-0 waiting', '1-1 gap spool-write', '2-2 waiting']);
  });

  it('judges nothing right after a pause of its own: the reports of that time are still unread', () => {
    const desk = watching();
    desk.captured(FIRST);
    desk.seconds(1);
    desk.pass(30_000);
    desk.ledger.tick(desk.now);
    assert.deepEqual(desk.fates(), ['0-0 waiting']);
    for (let offset = 1; offset <= 31; offset++) desk.captured(FIRST + offset);
    desk.seconds(5);
    assert.deepEqual(desk.fates().slice(0, 1), ['0-31 waiting']);
  });

  for (const [way, stepMs] of [
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ] as const)
    it(`does not count an hour by which the clock is set ${way}, and says so`, () => {
      const desk = watching();
      for (let second = 0; second < 10; second++) {
        desk.captured(Math.floor(desk.wallMs / 1000));
        desk.seconds(1);
      }
      desk.wallMs += stepMs;
      // The sampler of the camera sees the hour too, and counts it as missed.
      const sequence = Math.floor(desk.wallMs / 1000);
      const missed = { camera: 'cam', firstSequence: FIRST + 10, lastSequence: sequence - 1, missed: 3599 };
      if (stepMs > 0) desk.ledger.missed({ ...missed, reason: 'no-picture' }, desk.now);
      for (let second = 0; second < 10; second++) {
        desk.captured(Math.floor(desk.wallMs / 1000));
        desk.seconds(1);
      }
      assert.deepEqual(desk.steps, [stepMs]);
      assert.deepEqual(desk.fates(), ['0-9 waiting', `${sequence - FIRST}-${sequence - FIRST + 9} waiting`]);
      assert.deepEqual(desk.ledger.takeGaps(), []);
    });

  it('confirms the waiting frame if a clock set back has repeated its sequence', () => {
    const desk = watching();
    desk.captured(FIRST);
    desk.seconds(20);
    desk.wallMs = START;
    desk.captured(FIRST);
    desk.ledger.delivered({ camera: 'cam', sequence: FIRST }, desk.now);
    desk.ledger.delivered({ camera: 'cam', sequence: FIRST }, desk.now);
    desk.ledger.delivered({ camera: 'cam', sequence: FIRST }, desk.now);
    assert.equal(desk.fates().filter((fate) => fate === '0-0 confirmed').length, 2);
  });

  it('reports a gap when it is over, a lasting one in parts of a minute, and again only what was not confirmed as reported', () => {
    const desk = watching();
    desk.captured(FIRST);
    desk.seconds(40);
    assert.deepEqual(desk.ledger.takeGaps(), []);
    desk.seconds(30);
    const [part, ...rest] = desk.ledger.takeGaps();
    assert.ok(part);
    assert.deepEqual(rest, []);
    assert.ok(part.missed >= 60, String(part.missed));
    desk.captured(FIRST + 70);
    const [end] = desk.ledger.takeGaps();
    assert.equal(end?.firstSequence, part.lastSequence + 1);
    assert.equal(end.lastSequence, FIRST + 69);
    desk.ledger.told(part);
    desk.ledger.tellAgain();
    assert.deepEqual(desk.ledger.takeGaps(), [end]);
    desk.ledger.told(end);
    desk.ledger.tellAgain();
    assert.deepEqual(desk.ledger.takeGaps(), []);
  });

  it('ends when a camera is no longer watched, and gives the time until the next watch the stated reason', () => {
    const desk = watching();
    desk.captured(FIRST);
    desk.seconds(1);
    desk.ledger.unwatch('cam', desk.now);
    desk.seconds(30);
    assert.deepEqual(desk.fates(), ['0-0 waiting']);
    desk.ledger.watch('cam', 1000, desk.now, 'disabled');
    desk.captured(FIRST + 31);
    assert.deepEqual(desk.fates(), ['0-0 waiting', '1-30 gap disabled', '31-31 waiting']);
    assert.deepEqual(desk.ledger.takeGaps(), [], 'the wish of the operator is no news');
  });

  it('has no gap from 1970 to now if the previous daemon ran with an unset clock', () => {
    const desk = new Desk();
    const before = new Account({ camera: 'cam', periodMs: 1000, openedAt: 60_000, first: 60 });
    before.captured(60, 'unused');
    desk.wallMs = 1_795_381_140_000;
    desk.ledger = new Ledger([before], () => undefined);
    desk.ledger.watch('cam', 1000, desk.now);
    desk.seconds(2);
    assert.deepEqual(
      desk.ledger.accounts.map(({ id, next }) => next - id.first),
      [1, 0],
    );
    assert.deepEqual(desk.ledger.takeGaps(), []);
  });

  it('continues in a new account when the rate changes', () => {
    const desk = watching();
    desk.captured(FIRST);
    desk.seconds(2);
    desk.ledger.watch('cam', 500, desk.now, 'unused');
    desk.captured((FIRST + 2) * 2);
    const lengths = desk.ledger.accounts.map(({ id, next }) => [id.periodMs, next - id.first]);
    assert.deepEqual(lengths, [
      [1000, 2],
      [500, 1],
    ]);
  });

  it('learns from the spool what lost reports would have said', () => {
    const desk = watching();
    for (const offset of [0, 1, 2]) desk.captured(FIRST + offset);
    desk.seconds(8);
    const waited = desk.ledger.waiting();
    const spooled = [1, 4].map((offset) => ({ camera: 'cam', sequence: FIRST + offset }));
    desk.ledger.reconcile(waited, spooled, desk.now);
    assert.deepEqual(desk.fates().slice(0, 5), [
      '0-0 confirmed',
      '1-1 waiting',
      '2-2 confirmed',
      '3-3 gap no-picture',
      '4-4 waiting',
    ]);
  });

  it('writes down the fate of a frame that waited for more than two hours before forgetting it', () => {
    const desk = watching();
    desk.captured(FIRST);
    for (let hours = 0; hours < 3; hours++) {
      desk.seconds(3600);
      desk.ledger.takeChanges();
    }
    desk.ledger.delivered({ camera: 'cam', sequence: FIRST }, desk.now);
    desk.seconds(1);
    const [changes] = desk.ledger.takeChanges();
    assert.deepEqual(changes?.runs[0], { first: FIRST, last: FIRST, fate: { state: 'confirmed' } });
  });

  it('ignores cameras it does not know', () => {
    const desk = watching();
    desk.captured(FIRST, 'other');
    desk.ledger.delivered({ camera: 'other', sequence: FIRST }, desk.now);
    assert.deepEqual(desk.fates('other'), []);
  });

  it('has reasons that hold until the next frame', () => {
    const state = (name: CameraState['state'], code?: string) => ({
      kind: 'state' as const,
      state: {
        camera: 'cam',
        state: name,
        sinceMs: 0,
        ...(code === undefined ? {} : { fault: { code, message: '' } }),
      },
    });
    assert.equal(nextCause('starting', state('connecting')), 'connecting');
    assert.equal(nextCause('connecting', state('waiting', 'refused')), 'refused');
    assert.equal(nextCause('refused', state('connecting')), 'refused');
    assert.equal(nextCause('refused', state('quarantined', 'exit')), 'quarantined');
    assert.equal(nextCause('quarantined', { kind: 'frame' }), 'no-picture');
  });
});
