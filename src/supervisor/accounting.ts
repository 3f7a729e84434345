/** Keeps the ledger: enters what actors report, writes it to disk four times a second and has gaps announced. */
import { uptime } from 'node:os';
import { clockUnsetMessage, isClockUnset } from '../clock/machine-clock';
import { sleep } from '../clock/sleep';
import type { CameraSpec, Topology } from '../config/topology';
import type { Frame } from '../contract/frame';
import type { CameraState, Gap } from '../contract/message';
import { REASONS } from '../ledger/fate';
import { LedgerFiles, readLedger } from '../ledger/files';
import { Ledger, type Moment } from '../ledger/ledger';
import type { Line } from '../ledger/lines';
import type { LedgerRecord } from '../ledger/record';
import type { Log } from '../log/log';
import { RecurringFault } from '../fault/recurring';
import type { ActorReport } from '../protocol/messages';
import { Spool } from '../spool/spool';

/** After a kill, everything not yet written is recorded as a gap, even if delivered: hence the short interval. */
const TICK_MS = 250;
/** How far back records are read at the start: frames of that time may still wait in the spool. */
const RECALL_MS = 3_600_000;

/** A camera whose records end this long before the last record was removed or disabled before the daemon stopped. */
const UNWATCHED_MS = 90_000;

type WatchedCamera = Pick<CameraSpec, 'id' | 'periodMs'>;

export interface AccountingOptions {
  readonly topology: Topology;
  readonly dir: string;
  readonly spoolDir: string;
  readonly log: Log;
  /** Has a gap announced; a gap that is lost on the way is passed again, see {@link Accounting.began}. */
  readonly announce: (gap: Gap) => void;
}

export class Accounting {
  readonly #stopping = new AbortController();
  readonly #ledger: Ledger;
  readonly #faults: RecurringFault;
  readonly #clockFaults: RecurringFault;
  readonly #spool: Spool;
  #events: Line[] = [];
  /** Length of a period by camera. */
  #watched = new Map<string, number>();
  #ended: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: AccountingOptions,
    private readonly files: LedgerFiles,
    private readonly recorded: LedgerRecord,
  ) {
    this.#faults = new RecurringFault(options.log);
    this.#clockFaults = new RecurringFault(options.log);
    this.#spool = new Spool(options.spoolDir);
    this.#ledger = new Ledger(recorded.toAccounts(), (byMs) => this.#clockSet(byMs));
  }

  /** Continues where the files in `dir` end; a failed write is reported and retried. */
  static async open(options: AccountingOptions): Promise<Accounting> {
    const { dir, topology } = options;
    const recorded = await readLedger(dir, Date.now() - Math.max(RECALL_MS, topology.spool.maxAgeMs));
    const files = await LedgerFiles.open(dir, topology.ledger, Date.now());
    const accounting = new Accounting(options, files, recorded);
    accounting.#events.push({ at: Date.now(), event: 'started' });
    accounting.#watch(topology.cameras);
    accounting.#judgeClock();
    await accounting.#reconcile();
    accounting.#ended = accounting.#run();
    return accounting;
  }

  /** Applies an edit: cameras that were removed or disabled are no longer accounted for. */
  change({ ledger, cameras }: Topology): void {
    this.files.bounds = ledger;
    this.#watch(cameras);
  }

  #watch(cameras: readonly WatchedCamera[]): void {
    const wanted = new Map(cameras.map(({ id, periodMs }) => [id, periodMs]));
    for (const id of this.#watched.keys()) if (!wanted.has(id)) this.#ledger.unwatch(id, moment());
    // The period of a watched camera changes when the camera reports it: until then its frames have the old numbers.
    for (const [id, periodMs] of wanted) {
      const watched = this.#watched.get(id);
      if (watched === undefined) this.#ledger.watch(id, periodMs, moment(), this.#absenceOf(id));
      else wanted.set(id, watched);
    }
    this.#watched = wanted;
  }

  #countBy({ camera, periodMs, firstSequence }: Extract<ActorReport, { kind: 'periods' }>): void {
    const before = this.#watched.get(camera);
    if (before === undefined || before === periodMs) return;
    this.#ledger.renumber(camera, periodMs, firstSequence, moment());
    this.#watched.set(camera, periodMs);
  }

  /** A camera entered a state: one it reported, or one derived from the state of its process. */
  cameraState(state: CameraState): void {
    this.#ledger.cameraState(state);
  }

  /** An actor has a new process; reports of the previous one may be lost. */
  began(actor: string): void {
    // A new notifier has no gaps to announce.
    if (actor === 'notifier') this.#ledger.tellAgain();
    if (actor === 'store') void this.#reconcile();
  }

  /** Any report of any actor; those that do not concern the ledger are ignored. */
  onReport(report: ActorReport): void {
    switch (report.kind) {
      case 'periods':
        this.#countBy(report);
        break;
      case 'frame':
        this.#ledger.captured(report.frame, moment());
        break;
      case 'gap':
        this.#ledger.missed(report.gap, moment());
        break;
      case 'delivered':
        for (const frame of report.frames) this.#ledger.delivered(frame, moment());
        break;
      case 'dropped':
        for (const frame of report.frames) this.#ledger.dropped(frame, frame.reason, moment());
        break;
      case 'gap-told':
        this.#ledger.told(report.gap);
        break;
      case 'evicted':
        this.#events.push({ at: Date.now(), event: 'evicted', keys: report.keys });
        break;
      case 'camera-state':
      case 'announce':
      case 'announced':
      case 'readiness':
      case 'serving':
      case 'heartbeat':
      case 'changed':
      case 'feed-said':
        break;
    }
  }

  async #reconcile(): Promise<void> {
    const waited = this.#ledger.waiting();
    const spooled: Frame[] = [];
    try {
      for await (const { waiting } of this.#spool.list()) spooled.push(...waiting);
      this.#ledger.reconcile(waited, spooled, moment());
    } catch (error) {
      this.#fail('the spool cannot be read', error);
    }
  }

  /** Writes the remaining records and a mark that the stop was intended. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
    this.#events.push({ at: Date.now(), event: 'stopped' });
    await this.#write();
    await this.files.close();
  }

  /** Why a camera has no records up to now: it was not configured, or the daemon did not run. */
  #absenceOf(camera: string): string {
    if (this.options.topology.fleet !== undefined) return REASONS.elsewhere;
    const { lastAt, events } = this.recorded;
    const account = this.#ledger.accounts.findLast(({ id }) => id.camera === camera);
    const recordedMs = account === undefined ? 0 : account.next * account.id.periodMs;
    if (recordedMs < (lastAt ?? 0) - UNWATCHED_MS || recordedMs > (lastAt ?? 0) + UNWATCHED_MS)
      return REASONS.disabled;
    return events.at(-1)?.event === 'stopped' ? REASONS.daemonStopped : REASONS.daemonDown;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#ledger.tick(moment());
      for (const gap of this.#ledger.takeGaps()) this.options.announce(gap);
      await this.#write();
      await sleep(TICK_MS, signal);
    }
  }

  async #write(): Promise<void> {
    const changes = this.#ledger.takeChanges();
    const events = this.#events;
    this.#events = [];
    try {
      await this.files.write(Date.now(), changes, events);
      this.#faults.clear('the ledger is written again');
    } catch (error) {
      for (const { account, ...unwritten } of changes) account.returnChanges(unwritten);
      this.#events = [...events, ...this.#events];
      this.#fail('the ledger cannot be written; it is kept in memory', error);
    }
  }

  #clockSet(byMs: number): void {
    const seconds = Math.round(byMs / 1000);
    const how = seconds > 0 ? `forward by ${seconds} s` : `back by ${-seconds} s`;
    this.options.log.warn(
      `the clock was set ${how}; sampling periods it skipped are not counted, those it repeats count twice`,
    );
    this.#events.push({ at: Date.now(), event: 'clock-set', byMs: Math.round(byMs) });
    this.#judgeClock();
  }

  #judgeClock(): void {
    const now = Date.now();
    if (isClockUnset(now)) this.#clockFaults.report({ code: 'clock-unset', message: clockUnsetMessage(now) });
    else this.#clockFaults.clear("this machine's clock is set");
  }

  #fail(what: string, error: unknown): void {
    this.#faults.report({ code: 'ledger', message: `${what}: ${(error as Error).message}` });
  }
}

/** `uptime` is monotonic, and continues while the machine sleeps. */
function moment(): Moment {
  return { wallMs: Date.now(), elapsedMs: uptime() * 1000 };
}
