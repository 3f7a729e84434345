/** Accounting on ledger files and a spool of its own, opened as often as a test wants. Cameras have five periods a second. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Frame } from '../src/contract/frame';
import type { Gap } from '../src/contract/message';
import { readLedger } from '../src/ledger/files';
import { summarize, type Coverage, type Summary } from '../src/ledger/summary';
import { Spool } from '../src/spool/spool';
import { Accounting } from '../src/supervisor/accounting';
import { keptLog } from './kept-log';
import { until } from './until';
import { wantedBy, type Entry } from './wanted-actors';

export const PERIOD_MS = 200;
export const BYTES = Buffer.from('jpeg');

export class LedgerBench {
  readonly root = mkdtempSync(path.join(tmpdir(), 'vigil-accounting-'));
  readonly dir = path.join(this.root, 'ledger');
  readonly spool = new Spool(path.join(this.root, 'spool'), undefined);
  readonly log = keptLog();
  readonly announced: Gap[] = [];
  /** Number of the period in which the bench was made, or {@link captured} or {@link present} was called. */
  first = periodNow();
  readonly #running = new Set<Accounting>();

  constructor(t: TestContext) {
    t.after(async () => {
      for (const accounting of this.#running) await accounting.close();
      rmSync(this.root, { recursive: true, force: true });
    });
  }

  async open(entry: Entry = {}, dir = this.dir): Promise<Accounting> {
    const accounting = await Accounting.open({
      topology: this.topology(entry),
      dir,
      spoolDir: path.join(this.root, 'spool'),
      log: this.log,
      announce: (gap) => this.announced.push(gap),
    });
    this.#running.add(accounting);
    return accounting;
  }

  topology(entry: Entry) {
    return wantedBy({ cameraDefaults: { rate: 1000 / PERIOD_MS }, ...entry }).topology;
  }

  /** Opened, with a frame of camera `gate` captured in the present period, which is the ledger's first. */
  async captured(): Promise<Accounting> {
    for (;;) {
      const openedIn = periodNow();
      const accounting = await this.open();
      this.first = periodNow();
      if (this.first === openedIn) {
        accounting.onReport({ kind: 'frame', frame: this.frame(0) });
        return accounting;
      }
      // A period without a frame lies between: it would be a gap.
      await this.close(accounting);
      rmSync(this.dir, { recursive: true });
      this.log.lines.length = 0;
    }
  }

  /** A frame of camera `gate`, this many periods after the first. */
  frame(after: number): Frame {
    const sequence = this.first + after;
    const [capturedAt, bytes] = [sequence * PERIOD_MS, BYTES.length];
    return { camera: 'gate', capturedAt, sequence, width: 64, height: 36, format: 'jpeg', bytes };
  }

  /** A frame of camera `gate` captured in the present period, never before the ledger was opened. */
  present(): Frame {
    this.first = periodNow();
    return this.frame(0);
  }

  async close(accounting: Accounting): Promise<void> {
    this.#running.delete(accounting);
    await accounting.close();
  }

  /** What the files say. */
  async summary(dir = this.dir): Promise<Summary> {
    return summarize(await readLedger(dir, 0), 0);
  }

  /** What the files say of camera `gate`. */
  async gate(dir = this.dir): Promise<Partial<Coverage>> {
    return (await this.summary(dir)).cameras.find(({ camera }) => camera === 'gate') ?? {};
  }

  /** Waits until this many periods have passed. */
  async pass(periods: number): Promise<void> {
    const end = periodNow() + periods;
    await until(`${periods} periods have passed`, () => periodNow() > end);
  }
}

function periodNow(): number {
  return Math.floor(Date.now() / PERIOD_MS);
}
