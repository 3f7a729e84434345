/** Accounting: the ledger's files contain what actors report, gaps are announced, and the spool settles what was not reported. */
import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Gap } from '../../../src/contract/message';
import { readLedger } from '../../../src/ledger/files';
import { BYTES, LedgerBench, PERIOD_MS } from '../../../lab/ledger-bench';
import { waitUntil } from '../../../lab/process';
import { until } from '../../../lab/until';
import { CAMERAS } from '../../../lab/wanted-actors';

const [, YARD = {}] = CAMERAS;

/** Run together: most of them wait for the second in which the ledger is written. */
describe('accounting', { concurrency: true }, () => {
  describe('reports', { concurrency: true }, () => {
    it('writes down that the daemon started, and that it was stopped', async (t) => {
      const bench = new LedgerBench(t);
      const events = async () => (await bench.summary()).events.map(({ event }) => event);
      const accounting = await bench.open();
      await waitUntil('the start is written', async () => (await events()).length > 0);
      assert.deepEqual(await events(), ['started']);
      await bench.close(accounting);
      assert.deepEqual(await events(), ['started', 'stopped']);
    });

    it('counts a captured frame as waiting until it is delivered or dropped', async (t) => {
      const bench = new LedgerBench(t);
      const accounting = await bench.captured();
      for (const after of [1, 2]) accounting.onReport({ kind: 'frame', frame: bench.frame(after) });
      accounting.onReport({ kind: 'delivered', frames: [{ ...bench.frame(0), delayed: false }] });
      accounting.onReport({ kind: 'dropped', frames: [{ ...bench.frame(1), reason: 'age' }] });
      await bench.close(accounting);
      const { confirmed, waiting, dropped } = await bench.gate();
      assert.deepEqual([confirmed, waiting, dropped], [1, 1, { age: 1 }]);
    });

    it('writes while it runs, not only at its end', async (t) => {
      const bench = new LedgerBench(t);
      await bench.captured();
      await waitUntil('the frame is written', async () => (await bench.gate()).waiting === 1);
    });

    it('writes down how many keys Redis evicted', async (t) => {
      const bench = new LedgerBench(t);
      const accounting = await bench.open();
      for (const keys of [3, 4]) accounting.onReport({ kind: 'evicted', keys });
      await bench.close(accounting);
      assert.equal((await bench.summary()).evicted, 7);
    });

    it('counts in periods of the length that the camera reports', async (t) => {
      const bench = new LedgerBench(t);
      const accounting = await bench.captured();
      const firstSequence = Math.ceil(bench.first / 5) + 1;
      // The edit comes first; until the camera has applied it, its frames have the old numbers.
      accounting.change(bench.topology({ cameraDefaults: { rate: 1 } }));
      accounting.onReport({ kind: 'frame', frame: bench.frame(1) });
      accounting.onReport({ kind: 'periods', camera: 'gate', periodMs: 1000, firstSequence });
      const frame = { ...bench.frame(0), sequence: firstSequence, capturedAt: firstSequence * 1000 };
      accounting.onReport({ kind: 'frame', frame });
      // The same again, and of a camera that is not wanted: nothing changes.
      accounting.onReport({ kind: 'periods', camera: 'gate', periodMs: 1000, firstSequence });
      accounting.onReport({ kind: 'periods', camera: 'unknown', periodMs: 1000, firstSequence });
      await bench.close(accounting);
      const { accounts } = await readLedger(bench.dir, 0);
      assert.deepEqual(
        accounts.filter(({ id }) => id.camera !== 'yard').map(({ id }) => [id.camera, id.periodMs]),
        [
          ['gate', 200],
          ['gate', 1000],
        ],
      );
      assert.equal((await bench.gate()).waiting, 3);
    });
  });

  describe('a gap', { concurrency: true }, () => {
    it('is announced once, again to a new notifier until it has reached RabbitMQ, and then no more', async (t) => {
      const bench = new LedgerBench(t);
      const { announced } = bench;
      const accounting = await bench.captured();
      const gapOf = (first: number, last: number): Gap => ({
        ...{ camera: 'gate', firstSequence: bench.first + first, lastSequence: bench.first + last },
        ...{ missed: last - first + 1, reason: 'refused' },
      });
      const [gap, later] = [gapOf(1, 2), gapOf(4, 4)];
      accounting.onReport({ kind: 'gap', gap });
      accounting.onReport({ kind: 'frame', frame: bench.frame(3) });
      await until('it is announced', () => announced.length > 0);
      for (const name of ['camera:gate', 'store']) accounting.began(name);
      await bench.pass(3);
      assert.equal(announced.length, 1);
      accounting.began('notifier');
      await until('it is announced again', () => announced.length > 1);
      accounting.onReport({ kind: 'gap-told', gap });
      accounting.began('notifier');
      accounting.onReport({ kind: 'gap', gap: later });
      accounting.onReport({ kind: 'frame', frame: bench.frame(5) });
      await until('the next one is announced', () => announced.length > 2);
      assert.deepEqual(announced, [gap, gap, later]);
    });

    it('has the reason that the state of the camera gives', async (t) => {
      const bench = new LedgerBench(t);
      const accounting = await bench.captured();
      accounting.cameraState({ camera: 'gate', state: 'restarting', sinceMs: Date.now() });
      await bench.pass(3);
      // An account that ends is judged at once.
      accounting.change(bench.topology({ cameras: [YARD] }));
      await bench.close(accounting);
      const { gap = {} } = await bench.gate();
      assert.ok((gap['restarting'] ?? 0) >= 2, JSON.stringify(gap));
    });
  });

  describe('the spool', { concurrency: true }, () => {
    it('settles at the start what was not reported: a frame in it is waiting', async (t) => {
      const bench = new LedgerBench(t);
      await bench.spool.openCamera('gate');
      // A moment in the future: the account begins with this start.
      await bench.spool.write(bench.frame(100), BYTES);
      await bench.close(await bench.open());
      assert.equal((await bench.gate()).waiting, 1);
    });

    it('settles with each new process of the store what the last one did not report: what left it is confirmed', async (t) => {
      const bench = new LedgerBench(t);
      await bench.spool.openCamera('gate');
      const accounting = await bench.captured();
      await bench.spool.write(bench.frame(1), BYTES);
      accounting.onReport({ kind: 'frame', frame: bench.frame(1) });
      for (const name of ['camera:gate', 'notifier']) accounting.began(name);
      await waitUntil('both frames are written', async () => (await bench.gate()).waiting === 2);
      accounting.began('store');
      await waitUntil('the confirm is written', async () => (await bench.gate()).confirmed === 1);
      assert.equal((await bench.gate()).waiting, 1);
    });

    it('that cannot be read is reported, and the ledger continues', async (t) => {
      const bench = new LedgerBench(t);
      writeFileSync(path.join(bench.root, 'spool'), 'a file in the place of the folder');
      await bench.close(await bench.captured());
      const warnings = bench.log.lines.filter(([level]) => level === 'warn');
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]?.[1] ?? '', /^the spool cannot be read: /);
      assert.equal((await bench.gate()).waiting, 1);
    });
  });

  describe('a ledger that cannot be written', () => {
    it('is kept in memory, reported once, and written when the disk takes it', async (t) => {
      const bench = new LedgerBench(t);
      const { dir, log } = bench;
      const accounting = await bench.open();
      rmSync(dir, { recursive: true, force: true });
      writeFileSync(dir, 'a file in the place of the folder');
      const warnings = () => log.lines.filter(([level]) => level === 'warn');
      accounting.onReport({ kind: 'frame', frame: bench.present() });
      await until('it is reported', () => warnings().length > 0);
      assert.match(warnings()[0]?.[1] ?? '', /^the ledger cannot be written; it is kept in memory: /);
      // Long enough for further attempts, which fail too.
      await bench.pass(3);
      rmSync(dir);
      await bench.close(accounting);
      assert.equal(warnings().length, 1);
      const { events } = await bench.summary();
      assert.deepEqual(
        events.map(({ event }) => event),
        ['started', 'stopped'],
      );
      assert.equal((await bench.gate()).waiting, 1);
    });
  });

  describe('an absence', { concurrency: true }, () => {
    /** The gaps after two runs, the first of which was stopped or killed. */
    async function gapsBetween(t: TestContext, wasKilled: boolean) {
      const bench = new LedgerBench(t);
      const accounting = await bench.captured();
      await waitUntil('the frame is written', async () => (await bench.gate()).waiting === 1);
      const dir = wasKilled ? path.join(bench.root, 'killed') : bench.dir;
      // The files as a daemon leaves them when it is killed now.
      if (wasKilled) cpSync(bench.dir, dir, { recursive: true });
      await bench.close(accounting);
      await bench.pass(3);
      await bench.close(await bench.open({}, dir));
      return (await bench.gate(dir)).gap ?? {};
    }

    for (const [how, wasKilled, reason, other] of [
      ['stop', false, 'daemon-stopped', 'daemon-down'],
      ['SIGKILL', true, 'daemon-down', 'daemon-stopped'],
    ] as const)
      it(`between a ${how} and the next start is called ${reason}`, async (t) => {
        const gap = await gapsBetween(t, wasKilled);
        assert.ok((gap[reason] ?? 0) >= 2, JSON.stringify(gap));
        assert.equal(gap[other], undefined);
      });

    it('of a camera that an edit removed is not a gap: the operator wanted it', async (t) => {
      const bench = new LedgerBench(t);
      const accounting = await bench.captured();
      accounting.change(bench.topology({ cameras: [YARD] }));
      const wanted = Math.floor(Date.now() / PERIOD_MS) - bench.first + 1;
      await bench.pass(5);
      accounting.onReport({ kind: 'frame', frame: bench.frame(200) });
      await bench.close(accounting);
      const { periods = 0 } = await bench.gate();
      assert.ok(periods >= 1 && periods <= wanted, `${periods} periods of ${wanted}`);
      assert.deepEqual(bench.announced, []);
    });
  });
});
