/**
 * One camera's sampling periods on one clock. Every period from the first on has exactly one fate, so that the sums
 * add up by construction; a late report changes a fate, never the number of periods.
 */
import { CONFIRMED, REASONS, WAITING, type Fate } from './fate';
import { Runs, type Run } from './runs';

export interface AccountIdentity {
  readonly camera: string;
  readonly periodMs: number;
  /** Milliseconds since the epoch, by the clock of that time. */
  readonly openedAt: number;
  /** Sequence of its first period. */
  readonly first: number;
}

/** Changes to be written to disk. */
export interface Changes {
  readonly runs: readonly Run[];
  /** A new account, which is written before its first period. */
  readonly isNew?: true;
  /** Sequence up to which gaps have been reported; undefined if unchanged. */
  readonly toldThrough?: number;
}

/** Reasons that state only that no picture arrived: a cause that becomes known later replaces them. */
const WEAK: readonly string[] = [REASONS.noPicture, REASONS.connecting];
/** Maximum number of runs kept in memory, for a camera that connects and disconnects all day. The files contain all of them. */
const MAX_RUNS = 5000;

export class Account {
  readonly #runs: Runs;
  #next: number;
  /** Gaps up to these sequences have been passed out to be reported, and have been reported. */
  #given: number;
  #toldThrough: number;
  #toldWritten: number;
  #isNew = true;
  #changed: { first: number; last: number }[] = [];

  /** @param recorded the state according to earlier records */
  constructor(
    readonly id: AccountIdentity,
    recorded: { readonly runs: Runs; readonly toldThrough: number } = { runs: new Runs(), toldThrough: -1 },
  ) {
    this.#runs = recorded.runs;
    this.#next = Math.max(id.first, (recorded.runs.last?.last ?? -1) + 1);
    this.#toldThrough = Math.max(recorded.toldThrough, id.first - 1);
    this.#toldWritten = this.#toldThrough;
    this.#given = this.#toldThrough;
  }

  /** The first period without a fate: all before it since {@link AccountIdentity.first} have one. */
  get next(): number {
    return this.#next;
  }

  get runs(): readonly Run[] {
    return this.#runs.all;
  }

  fateAt(sequence: number): Fate | undefined {
    return this.#runs.fateAt(sequence);
  }

  /** Periods without a fate up to `last` are a gap. */
  missUntil(last: number, reason: string): void {
    if (last >= this.#next) this.#assign(this.#next, last, { state: 'gap', reason });
  }

  /** A frame has been spooled. Periods before it without a fate become gaps. */
  captured(sequence: number, reason: string): void {
    this.missUntil(sequence - 1, reason);
    const fate = this.fateAt(sequence);
    const isNew = sequence === this.#next;
    if (isNew || fate?.state === 'gap') this.#assign(sequence, sequence, WAITING);
  }

  delivered(sequence: number, reason: string): void {
    this.missUntil(sequence - 1, reason);
    this.#assign(sequence, sequence, CONFIRMED);
  }

  dropped(sequence: number, dropReason: string, reason: string): void {
    this.missUntil(sequence - 1, reason);
    if (this.fateAt(sequence)?.state !== 'confirmed')
      this.#assign(sequence, sequence, { state: 'dropped', reason: dropReason });
  }

  /** The camera's own reason for periods without a frame; it takes precedence. */
  missed(first: number, last: number, reason: string): void {
    const from = Math.max(first, this.id.first);
    for (const run of this.#runs.between(from, last))
      if (isWeakGap(run)) this.#assign(run.first, run.last, { state: 'gap', reason });
    this.missUntil(last, reason);
  }

  /** A cause has become known: it replaces a weaker reason of the open gap. */
  explainOpenGap(reason: string): void {
    const open = this.#runs.all.slice(this.#runs.all.findLastIndex((run) => !isWeakGap(run)) + 1);
    const [oldest] = open;
    if (oldest !== undefined) this.#assign(oldest.first, this.#next - 1, { state: 'gap', reason });
  }

  /**
   * Gaps that have not been reported: finished ones, and parts of at least `openPeriods` of an unfinished
   * one, so that no consumer has to wait for its end. Each is returned once, until {@link tellAgain}.
   */
  takeGaps(openPeriods: number): Run[] {
    const gaps = this.#runs
      .between(this.#given + 1, this.#next - 1)
      .filter(({ fate }) => fate.state === 'gap')
      .filter(({ first, last }) => last < this.#next - 1 || last - first + 1 >= openPeriods);
    this.#given = gaps.at(-1)?.last ?? this.#given;
    return gaps;
  }

  /** The receiver of the gaps has published those up to `last`. */
  told(last: number): void {
    this.#toldThrough = Math.max(this.#toldThrough, last);
    this.#given = Math.max(this.#given, last);
  }

  /** The receiver of the gaps has gone: gaps not reported are passed out again. */
  tellAgain(): void {
    this.#given = this.#toldThrough;
  }

  /** The parts that have changed since the last call, in their current state. */
  takeChanges(): Changes {
    const changed = new Runs();
    for (const { first, last } of this.#changed)
      for (const run of this.#runs.between(first, last)) changed.assign(run.first, run.last, run.fate);
    this.#changed = [];
    const toldThrough = this.#toldThrough === this.#toldWritten ? undefined : this.#toldThrough;
    this.#toldWritten = this.#toldThrough;
    const isNew = this.#isNew;
    this.#isNew = false;
    return {
      runs: changed.all,
      ...(isNew ? { isNew } : {}),
      ...(toldThrough === undefined ? {} : { toldThrough }),
    };
  }

  /** Restores changes that could not be written. */
  returnChanges({ runs, isNew, toldThrough }: Changes): void {
    this.#isNew ||= isNew === true;
    this.#changed = [...runs.map(({ first, last }) => ({ first, last })), ...this.#changed];
    if (toldThrough !== undefined) this.#toldWritten = -1;
  }

  /** Forgets periods before `sequence` whose fate is final and has been passed out to be written. */
  forgetBefore(sequence: number): void {
    const unwritten = this.#changed.reduce((least, { first }) => Math.min(least, first), Infinity);
    const waits = this.#runs.all.find(({ fate }) => fate.state === 'waiting')?.first ?? Infinity;
    const excess = this.#runs.all[this.#runs.all.length - MAX_RUNS]?.first ?? 0;
    this.#runs.takeBefore(Math.min(unwritten, Math.max(Math.min(sequence, waits), excess)));
  }

  #assign(first: number, last: number, fate: Fate): void {
    this.#runs.assign(first, last, fate);
    this.#next = Math.max(this.#next, last + 1);
    const before = this.#changed.at(-1);
    if (before !== undefined && first >= before.first && first <= before.last + 1)
      this.#changed.splice(-1, 1, { first: before.first, last: Math.max(before.last, last) });
    else this.#changed.push({ first, last });
  }
}

function isWeakGap({ fate }: Run): boolean {
  return fate.state === 'gap' && WEAK.includes(fate.reason);
}
