/** The ledger: every period has one fate, whatever happens, in whatever order it is reported, and on disk too. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { CameraState } from '../../../src/contract/message';
import { Account } from '../../../src/ledger/account';
import { nextCause } from '../../../src/ledger/cause';
import { filesSince, ledgerFileName, parseLedgerFileName } from '../../../src/ledger/file-names';
import { CONFIRMED, WAITING, type Fate } from '../../../src/ledger/fate';
import { LedgerFiles, readLedger } from '../../../src/ledger/files';
import { Ledger, type Moment } from '../../../src/ledger/ledger';
import { decodeNumbers, encodeNumbers } from '../../../src/ledger/lines';
import { Runs } from '../../../src/ledger/runs';
import { summarize } from '../../../src/ledger/summary';
import { seededRandom } from '../../../lab/random';

const START = 1_795_381_133_000;
const FIRST = START / 1000;

function gap(reason: string): Fate {
  return { state: 'gap', reason };
}

/** A clock that tests turn, and a ledger that is told its time. */
class Desk {
  wallMs = START;
  elapsedMs = 1000;
  readonly steps: number[] = [];
  ledger = new Ledger([], (byMs) => this.steps.push(byMs));

  get now(): Moment {
    return { wallMs: this.wallMs, elapsedMs: this.elapsedMs };
  }

  pass(ms: number): void {
    this.wallMs += ms;
    this.elapsedMs += ms;
  }

  /** Time passes as it does for a daemon: with a tick every second. */
  seconds(count: number): void {
    for (let i = 0; i < count; i++) {
      this.pass(1000);
      this.ledger.tick(this.now);
    }
  }

  captured(sequence: number, camera = 'cam'): void {
    this.ledger.captured({ camera, sequence, capturedAt: sequence * 1000 }, this.now);
  }

  /** Runs of a camera as `first-last fate`, counted from START. */
  fates(camera = 'cam'): string[] {
    return this.ledger.accounts
      .filter(({ id }) => id.camera === camera)
      .flatMap(({ runs }) => runs)
      .map(({ first, last, fate }) => {
        const reason = 'reason' in fate ? ` ${fate.reason}` : '';
        return `${first - FIRST}-${last - FIRST} ${fate.state}${reason}`;
      });
  }
}

function watching(): Desk {
  const desk = new Desk();
  desk.ledger.watch('cam', 1000, desk.now);
  return desk;
}

describe('runs of periods', () => {
  it('are joined when equal and split when overwritten, as a list of single periods would be', (t) => {
    const random = seededRandom(t);
    const fates = [CONFIRMED, WAITING, gap('a'), gap('b')];
    for (let round = 0; round < 50; round++) {
      const [runs, single] = [new Runs(), new Map<number, Fate>()];
      for (let i = 0; i < 60; i++) {
        const first = random.between(0, 40);
        const last = first + random.between(-1, 6);
        const fate = random.pick(fates);
        runs.assign(first, last, fate);
        for (let sequence = first; sequence <= last; sequence++) single.set(sequence, fate);
      }
      for (let sequence = -1; sequence < 50; sequence++)
        assert.equal(runs.fateAt(sequence), single.get(sequence));
      runs.all.forEach((run, i) => {
        const next = runs.all[i + 1];
        assert.ok(run.first <= run.last);
        assert.ok(next === undefined || next.first > run.last);
        assert.ok(next === undefined || next.first > run.last + 1 || next.fate !== run.fate);
      });
    }
  });

  it('are cut to what is asked for', () => {
    const runs = new Runs();
    runs.assign(1, 10, CONFIRMED);
    runs.assign(4, 5, WAITING);
    assert.deepEqual(runs.between(5, 7), [
      { first: 5, last: 5, fate: WAITING },
      { first: 6, last: 7, fate: CONFIRMED },
    ]);
  });
});

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

  it('calls a period a gap when it has been over for a while, and takes that back for a frame that comes late', () => {
    const desk = watching();
    desk.captured(FIRST);
    desk.seconds(3);
    assert.deepEqual(desk.fates(), ['0-0 waiting']);
    desk.seconds(2);
    assert.deepEqual(desk.fates(), ['0-0 waiting', '1-1 gap no-picture']);
    desk.captured(FIRST + 1);
    assert.deepEqual(desk.fates(), ['0-1 waiting']);
  });

  it('knows why: the fault of the feed, also for the seconds before it was found', () => {
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

  it('knows why: the supervisor restarts the process of the camera, whose new process knows of no gap', () => {
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

  it('takes the word of the camera for a sample it lost', () => {
    const desk = watching();
    desk.captured(FIRST);
    desk.seconds(1);
    const lost = { camera: 'cam', firstSequence: FIRST + 1, lastSequence: FIRST + 1, missed: 1 };
    desk.ledger.missed({ ...lost, reason: 'spool-write' }, desk.now);
    desk.seconds(1);
    desk.captured(FIRST + 2);
    assert.deepEqual(desk.fates(), ['0-0 waiting', '1-1 gap spool-write', '2-2 waiting']);
  });

  it('judges nothing right after a pause of its own: the reports of that time are still to be read', () => {
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
      // The sampler of the camera sees the hour too, and takes it for missed.
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

  it('confirms the frame that waits when a clock set back has made its sequence come twice', () => {
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

  it('tells a gap when it is over, one that lasts in parts of a minute, and again only what was not told', () => {
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

  it('ends with the watch on a camera, and calls the time until the next one what it is told', () => {
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

  it('has no gap from 1970 to now where the daemon before ran with a clock that was not set', () => {
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

  it('goes on in a new account when the rate changes', () => {
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

  it('takes from the spool what reports that were lost would have said', () => {
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

  it('passes over cameras it does not know', () => {
    const desk = watching();
    desk.captured(FIRST, 'other');
    desk.ledger.delivered({ camera: 'other', sequence: FIRST }, desk.now);
    assert.deepEqual(desk.fates('other'), []);
  });

  it('has causes that hold until the next frame', () => {
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

describe('ledger files', () => {
  const bounds = { keepHours: 3, maxBytes: 1_048_576 };

  function folder(t: TestContext): string {
    const dir = mkdtempSync(path.join(tmpdir(), 'vigil-ledger-'));
    t.after(() => rmSync(dir, { recursive: true }));
    return dir;
  }

  async function flush(desk: Desk, files: LedgerFiles): Promise<void> {
    await files.write(desk.wallMs, desk.ledger.takeChanges(), []);
  }

  it('sort by when they were begun, and say the hour', () => {
    const file = { number: 7, hour: Math.floor(START / 3_600_000) };
    assert.equal(ledgerFileName(file), '00000007_2026-11-22T20Z.jsonl');
    assert.deepEqual(parseLedgerFileName(ledgerFileName(file)), file);
    assert.equal(parseLedgerFileName('notes.txt'), undefined);
    const [a, b, c] = [10, 12, 11].map((hour, number) => ({ number, hour }));
    assert.ok(a && b && c);
    assert.deepEqual(filesSince([a, b, c], 11.5 * 3_600_000), [b, c]);
    assert.deepEqual(filesSince([a, b, c], 20 * 3_600_000), [c]);
  });

  it('name many accounts in few characters', () => {
    assert.equal(encodeNumbers([5, 0, 1, 2]), '0-2,5');
    assert.deepEqual(decodeNumbers('0-2,5'), [0, 1, 2, 5]);
  });

  it('lose nothing to a daemon that is killed within a line', async (t) => {
    const dir = folder(t);
    const desk = watching();
    const files = await LedgerFiles.open(dir, bounds, desk.wallMs);
    desk.captured(FIRST);
    await flush(desk, files);
    await files.close();
    const [name = ''] = readdirSync(dir);
    appendFileSync(path.join(dir, name), '{"at":17953811340');
    const again = await LedgerFiles.open(dir, bounds, desk.wallMs);
    desk.ledger.delivered({ camera: 'cam', sequence: FIRST }, desk.now);
    await flush(desk, again);
    await again.close();
    assert.deepEqual(readdirSync(dir), [name]);
    const record = await readLedger(dir, START);
    assert.equal(record.unreadable, 1);
    assert.deepEqual(record.accounts[0]?.runs.all, [{ first: FIRST, last: FIRST, fate: CONFIRMED }]);
  });

  it('are made compact when their hour is over, and old ones go', async (t) => {
    const dir = folder(t);
    const desk = watching();
    const files = await LedgerFiles.open(dir, bounds, desk.wallMs);
    const sizes: number[] = [];
    for (let minute = 0; minute < 6 * 60; minute++) {
      desk.seconds(60);
      desk.captured(Math.floor(desk.wallMs / 1000));
      await flush(desk, files);
    }
    await files.close();
    const names = readdirSync(dir).sort();
    assert.equal(names.length, bounds.keepHours);
    for (const name of names) sizes.push(readFileSync(path.join(dir, name)).length);
    const lines = readFileSync(path.join(dir, names[0] ?? ''), 'utf8')
      .trim()
      .split('\n');
    assert.equal(lines.length, 2, 'an account and its fates');
    const [summary] = summarize(
      await readLedger(dir, desk.wallMs - 3_600_000),
      desk.wallMs - 3_600_000,
    ).cameras;
    assert.equal(summary?.periods, 3601);
    // Both ends of the hour are minutes with a frame.
    assert.equal(summary.waiting, 61);
  });

  it('stay within their bytes', async (t) => {
    const dir = folder(t);
    for (let number = 1; number < 5; number++)
      writeFileSync(path.join(dir, ledgerFileName({ number, hour: number })), 'x'.repeat(600_000));
    const desk = watching();
    const files = await LedgerFiles.open(dir, { ...bounds, keepHours: 1000 }, desk.wallMs);
    desk.captured(FIRST);
    await flush(desk, files);
    await files.close();
    const bytes = readdirSync(dir).map((name) => readFileSync(path.join(dir, name)).length);
    assert.ok(bytes.reduce((sum, size) => sum + size, 0) <= bounds.maxBytes + 2000, String(bytes));
  });

  it('say everything once more after a disk that took nothing', async (t) => {
    const dir = path.join(folder(t), 'file');
    writeFileSync(dir, '');
    const desk = watching();
    desk.captured(FIRST);
    const files = await LedgerFiles.open(`${dir}-later`, bounds, desk.wallMs);
    const changes = desk.ledger.takeChanges();
    writeFileSync(`${dir}-later`, 'in the way');
    await assert.rejects(files.write(desk.wallMs, changes, []));
    for (const { account, ...unwritten } of changes) account.returnChanges(unwritten);
    rmSync(`${dir}-later`);
    await flush(desk, files);
    await files.close();
    assert.equal((await readLedger(`${dir}-later`, START)).accounts[0]?.runs.all.length, 1);
  });
});
