/**
 * The ledger: the fate of every sampling period of every camera. Pure: it receives events with their times,
 * and returns what must be written and what must be reported.
 */
import type { CameraState, Gap } from '../contract/message';
import type { Account, Changes } from './account';
import { Book } from './book';
import { REASONS } from './fate';

/** The current time, by the wall clock, which may be set, and by a steady clock, which also counts while the machine sleeps. */
export interface Moment {
  /** Milliseconds since the epoch. */
  readonly wallMs: number;
  /** Milliseconds since an arbitrary time. */
  readonly elapsedMs: number;
}

/** A frame among those of its camera. */
export interface FrameName {
  readonly camera: string;
  readonly sequence: number;
}

/** Changes of an account to be written to disk. */
export type AccountChanges = Changes & { readonly account: Account };

/** If the two clocks diverge by more than this between two ticks, the wall clock has been set. */
const CLOCK_STEP_MS = 3000;
/** After this process was paused (SIGSTOP, a machine that slept), reports of that time have yet to be read. */
const PAUSE_MS = 2500;
const SETTLE_MS = 5000;

export class Ledger {
  readonly #books = new Map<string, Book>();
  #last: Moment | undefined;
  #tickedAtMs = 0;
  #judgeFromMs = 0;

  /**
   * @param recorded accounts of earlier runs, by age
   * @param onClockSet called with how much it was set, forward (positive) or back
   */
  constructor(
    recorded: readonly Account[],
    private readonly onClockSet: (stepMs: number) => void,
  ) {
    for (const camera of new Set(recorded.map(({ id }) => id.camera))) {
      const accounts = recorded.filter(({ id }) => id.camera === camera);
      this.#books.set(camera, new Book(camera, accounts));
    }
  }

  /**
   * Begins to account for a camera, or continues where its record ends.
   * @param absence why there were no frames since then
   */
  watch(camera: string, periodMs: number, now: Moment, absence: string = REASONS.daemonDown): void {
    this.#look(now);
    const book = this.#books.get(camera) ?? new Book(camera, []);
    this.#books.set(camera, book);
    book.watch(periodMs, now.wallMs, absence);
  }

  /**
   * Continues to account for a camera in periods of another length.
   * @param firstSequence number of the first such period
   */
  renumber(camera: string, periodMs: number, firstSequence: number, now: Moment): void {
    this.#look(now);
    this.#books.get(camera)?.watch(periodMs, firstSequence * periodMs, REASONS.starting);
  }

  unwatch(camera: string, now: Moment): void {
    this.#look(now);
    this.#books.get(camera)?.unwatch(now.wallMs);
  }

  cameraState(state: CameraState): void {
    this.#books.get(state.camera)?.stateChanged(state);
  }

  captured({ camera, sequence, capturedAt }: FrameName & { capturedAt: number }, now: Moment): void {
    this.#look(now);
    this.#books.get(camera)?.captured(sequence, capturedAt, now.wallMs);
  }

  missed(gap: Gap, now: Moment): void {
    this.#look(now);
    this.#books.get(gap.camera)?.missed(gap, now.wallMs);
  }

  delivered({ camera, sequence }: FrameName, now: Moment): void {
    this.#look(now);
    this.#books.get(camera)?.delivered(sequence, now.wallMs);
  }

  dropped({ camera, sequence }: FrameName, reason: string, now: Moment): void {
    this.#look(now);
    this.#books.get(camera)?.dropped(sequence, reason, now.wallMs);
  }

  /** The frames that are waiting according to the ledger. */
  waiting(): FrameName[] {
    return [...this.#books.values()].flatMap((book) => book.waiting());
  }

  /**
   * Makes up for reports that were lost with a process: exactly the frames in the spool are waiting.
   * @param waited the result of {@link waiting} before the spool was listed
   */
  reconcile(waited: readonly FrameName[], spooled: readonly FrameName[], now: Moment): void {
    const inSpool = new Set(spooled.map(nameText));
    for (const frame of waited)
      // A file leaves the spool on the confirm; the store reports what it drops.
      if (!inSpool.has(nameText(frame))) this.#books.get(frame.camera)?.leftSpool(frame.sequence);
    for (const { camera, sequence } of spooled) this.#books.get(camera)?.found(sequence, now.wallMs);
  }

  /** To be called several times a second: periods that are over and had no frame become gaps. */
  tick(now: Moment): void {
    this.#look(now);
    if (now.elapsedMs - this.#tickedAtMs > PAUSE_MS) this.#judgeFromMs = now.elapsedMs + SETTLE_MS;
    this.#tickedAtMs = now.elapsedMs;
    for (const book of this.#books.values()) {
      if (now.elapsedMs >= this.#judgeFromMs) book.judge(now.wallMs);
      book.forget(now.wallMs);
    }
  }

  takeChanges(): AccountChanges[] {
    return this.accounts
      .map((account) => ({ account, ...account.takeChanges() }))
      .filter(({ runs, isNew, toldThrough }) => runs.length > 0 || isNew || toldThrough !== undefined);
  }

  /** Gaps to report, each once until {@link tellAgain}. */
  takeGaps(): Gap[] {
    return (
      [...this.#books.values()]
        .flatMap((book) => book.takeGaps())
        // Gaps that the operator requested, or that another node accounts for, are not reported.
        .filter(({ reason }) => reason !== REASONS.disabled && reason !== REASONS.elsewhere)
    );
  }

  /** A gap has reached RabbitMQ. */
  told({ camera, lastSequence }: Gap): void {
    for (const account of this.#books.get(camera)?.accounts ?? [])
      if (lastSequence >= account.id.first && lastSequence < account.next) account.told(lastSequence);
  }

  /** The receiver of the gaps has gone: those that have not reached RabbitMQ are passed out again. */
  tellAgain(): void {
    for (const account of this.accounts) account.tellAgain();
  }

  /** All accounts in memory. */
  get accounts(): readonly Account[] {
    return [...this.#books.values()].flatMap(({ accounts }) => accounts);
  }

  #look(now: Moment): void {
    const before = this.#last;
    this.#last = now;
    if (before === undefined) return;
    const wallMs = before.wallMs + now.elapsedMs - before.elapsedMs;
    if (Math.abs(now.wallMs - wallMs) < CLOCK_STEP_MS) return;
    for (const book of this.#books.values()) book.clockSet(wallMs, now.wallMs);
    this.onClockSet(now.wallMs - wallMs);
  }
}

function nameText({ camera, sequence }: FrameName): string {
  return `${camera} ${sequence}`;
}
