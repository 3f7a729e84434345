/** All accounts of one camera: the current one, and those closed because the clock was set or the rate changed. */
import { isClockUnset } from '../clock/machine-clock';
import type { CameraState, Gap } from '../contract/message';
import { Account } from './account';
import { nextCause, type CauseEvent } from './cause';
import { reasonOf, REASONS } from './fate';
import type { Run } from './runs';

/** A period is judged this long after its end: a frame takes about 0.1 s, longer on a busy disk. */
const GRACE_MS = 3000;
/** Pictures with the camera's time may differ from our clock by this much (the sampler's bound). */
const MAX_LAG_MS = 60_000;
/** Number of periods by which a frame may arrive after its account was closed. */
const LATE_PERIODS = 5;
/** An unfinished gap is reported in parts of this length. */
const TELL_MS = 60_000;
/** How long final periods are kept in memory: longer than any report is late. The files keep them longer. */
const MEMORY_MS = 2 * 3_600_000;

/** Number of the sampling period at a time. */
export function periodAt(wallMs: number, periodMs: number): number {
  return Math.floor(wallMs / periodMs);
}

export class Book {
  #accounts: Account[];
  /** The account to which periods are added; none while the camera is not watched. */
  #current: Account | undefined;
  #cause: string = REASONS.starting;
  /** Time from the capture of the last frame to its report. */
  #lagMs = 0;

  /** @param recorded accounts of earlier runs, by age */
  constructor(
    readonly camera: string,
    recorded: readonly Account[],
  ) {
    this.#accounts = [...recorded];
  }

  get accounts(): readonly Account[] {
    return this.#accounts;
  }

  /**
   * Begins to account for the camera, or continues.
   * @param absence why there were no frames since the last record
   */
  watch(periodMs: number, wallMs: number, absence: string): void {
    const last = this.#current ?? this.#accounts.at(-1);
    const reason = this.#current === undefined ? absence : this.#cause;
    const first = periodAt(wallMs, periodMs);
    this.#cause = REASONS.starting;
    // One period back means that the clock was corrected slightly.
    const goesOn = last?.id.periodMs === periodMs && first >= last.next - 1 && !wasUnset(last, wallMs);
    if (last !== undefined && !wasUnset(last, wallMs)) missUntilNow(last, wallMs, reason);
    this.#current = goesOn ? last : this.#open(periodMs, wallMs);
  }

  /** The account ends here; its waiting frames are still followed. */
  unwatch(wallMs: number): void {
    if (this.#current !== undefined) missUntilNow(this.#current, wallMs, this.#cause);
    this.#current = undefined;
  }

  /** The clock was set: skipped periods never passed, repeated ones pass twice. */
  clockSet(beforeMs: number, afterMs: number): void {
    if (this.#current === undefined) return;
    missUntilNow(this.#current, beforeMs, this.#cause);
    this.#current = this.#open(this.#current.id.periodMs, afterMs);
  }

  stateChanged(state: CameraState): void {
    this.#hear({ kind: 'state', state });
  }

  captured(sequence: number, capturedAt: number, wallMs: number): void {
    this.#accountFor(sequence, wallMs)?.captured(sequence, this.#cause);
    this.#hear({ kind: 'frame' });
    this.#lagMs = Math.min(MAX_LAG_MS, Math.max(0, wallMs - capturedAt));
  }

  waiting(): { camera: string; sequence: number }[] {
    const { camera } = this;
    return this.#accounts
      .flatMap((account) => account.runs)
      .filter(({ fate }) => fate.state === 'waiting')
      .flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, i) => ({ camera, sequence: first + i })),
      );
  }

  /** The frame's file has gone; if the frame still counts as waiting, the report of its confirm was lost. */
  leftSpool(sequence: number): void {
    const account = this.#accounts.findLast((one) => one.fateAt(sequence)?.state === 'waiting');
    account?.delivered(sequence, this.#cause);
  }

  /** A frame is in the spool: it was captured, whatever was reported. */
  found(sequence: number, wallMs: number): void {
    this.#accountFor(sequence, wallMs)?.captured(sequence, this.#cause);
  }

  delivered(sequence: number, wallMs: number): void {
    this.#accountOf(sequence, wallMs)?.delivered(sequence, this.#cause);
  }

  dropped(sequence: number, reason: string, wallMs: number): void {
    this.#accountOf(sequence, wallMs)?.dropped(sequence, reason, this.#cause);
  }

  missed({ firstSequence, lastSequence, reason }: Gap, wallMs: number): void {
    this.#accountFor(lastSequence, wallMs)?.missed(firstSequence, lastSequence, reason);
  }

  /** Periods that are over and had no frame become gaps. */
  judge(wallMs: number): void {
    const current = this.#current;
    if (current !== undefined) missUntilNow(current, wallMs - GRACE_MS - this.#lagMs, this.#cause);
  }

  /** Gaps to report, each once until they must be reported again. */
  takeGaps(): Gap[] {
    return this.#accounts.flatMap((account) => {
      const enough = account === this.#current ? Math.ceil(TELL_MS / account.id.periodMs) : 1;
      return account.takeGaps(enough).map((run) => gapOf(this.camera, run));
    });
  }

  forget(wallMs: number): void {
    for (const account of this.#accounts)
      account.forgetBefore(periodAt(wallMs - MEMORY_MS, account.id.periodMs));
    this.#accounts = this.#accounts.filter((account) => account === this.#current || account.runs.length > 0);
  }

  #open(periodMs: number, wallMs: number): Account {
    const first = periodAt(wallMs, periodMs);
    const account = new Account({ camera: this.camera, periodMs, openedAt: wallMs, first });
    this.#accounts.push(account);
    return account;
  }

  #hear(event: CauseEvent): void {
    const cause = nextCause(this.#cause, event);
    if (cause === this.#cause) return;
    this.#cause = cause;
    if (event.kind !== 'frame') this.#current?.explainOpenGap(cause);
  }

  /** The account in which the frame waits; a sequence may occur twice if the clock was set back. */
  #accountOf(sequence: number, wallMs: number): Account | undefined {
    const waits = this.#accounts.findLast((account) => account.fateAt(sequence)?.state === 'waiting');
    return waits ?? this.#accountFor(sequence, wallMs);
  }

  #accountFor(sequence: number, wallMs: number): Account | undefined {
    return this.#accounts.findLast((account) => {
      const { id, next } = account;
      const end =
        account === this.#current ? periodAt(wallMs + MAX_LAG_MS, id.periodMs) : next + LATE_PERIODS;
      return sequence >= id.first && sequence <= end;
    });
  }
}

/** The account was kept by a clock that was not set yet, and has been since: the time in between never passed. */
function wasUnset({ id, next }: Account, wallMs: number): boolean {
  return isClockUnset(next * id.periodMs) && !isClockUnset(wallMs);
}

/** Periods that are over by `wallMs` and have no fate become a gap. */
function missUntilNow(account: Account, wallMs: number, reason: string): void {
  account.missUntil(periodAt(wallMs, account.id.periodMs) - 1, reason);
}

function gapOf(camera: string, { first, last, fate }: Run): Gap {
  const reason = reasonOf(fate) ?? fate.state;
  return { camera, firstSequence: first, lastSequence: last, missed: last - first + 1, reason };
}
