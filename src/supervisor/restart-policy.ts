/**
 * What follows the end of a child, as a pure function: OTP's restart types and intensity
 * (https://www.erlang.org/doc/system/sup_princ.html), and the back-off that OTP lacks.
 */
import { backOffMs } from '../clock/back-off';
import type { ChildSpec } from '../config/topology';

/** Milliseconds of output after which earlier crashes no longer lengthen the pause; uptime alone proves nothing. */
const HEALTHY_MS = 60_000;
/** A hole in the output longer than this begins a new stretch. The slowest camera delivers a frame every 10 s. */
const MAX_HOLE_MS = 30_000;

/** The history of a child, kept between its ends. */
export interface ChildHistory {
  /** When it was restarted within the last period, milliseconds, oldest first. */
  readonly restarts: readonly number[];
  /** Ends in a row without a healthy stretch between them. */
  readonly crashes: number;
}

export const NO_HISTORY: ChildHistory = { restarts: [], crashes: 0 };

/** Milliseconds of output that release a child from quarantine: a camera may deliver one frame and crash on the second. */
const RELEASE_MS = 10_000;

/** A stretch of output: its first and its last moment, milliseconds. */
export interface Output {
  readonly since: number;
  readonly last: number;
}

export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number; readonly history: ChildHistory }
  /** Not restarted, according to its restart type. */
  | { readonly kind: 'over' }
  /** Beyond its intensity, or already quarantined: retried after this pause until it is released. */
  | { readonly kind: 'quarantine'; readonly probeMs: number }
  /** Beyond its intensity, and the daemon cannot continue without it. */
  | { readonly kind: 'escalate' };

/** The stretch of output that the output at `now` belongs to. */
export function withOutput(output: Output | undefined, now: number): Output {
  const goesOn = output !== undefined && now - output.last <= MAX_HOLE_MS;
  return { since: goesOn ? output.since : now, last: now };
}

/** Whether a child's output has lasted long enough that earlier crashes are forgotten. */
export function isHealthy(output: Output | undefined): boolean {
  return lasts(output, HEALTHY_MS);
}

/** Whether the output of a quarantined child has lasted long enough to release it. */
export function isReleased(output: Output | undefined): boolean {
  return lasts(output, RELEASE_MS);
}

function lasts(output: Output | undefined, ms: number): boolean {
  return output !== undefined && output.last - output.since >= ms;
}

/**
 * Decides what follows an end. The intensity is OTP's: restarts at most `periodMs` ago count, including the current one, and
 * more than `maxRestarts` of them exceed it. A child with a `probeMs` is then quarantined; any other escalates.
 * @param end `normal`: of its own accord, without an error; `quarantined`: during a try in quarantine
 * @param now milliseconds of a monotonic clock
 * @param random a number from 0 up to 1
 */
export function afterEnd(
  { restart, maxRestarts, periodMs, probeMs, backOff }: ChildSpec,
  history: ChildHistory,
  end: { readonly normal: boolean; readonly output: Output | undefined; readonly quarantined: boolean },
  now: number,
  random: number,
): RestartDecision {
  if (restart === 'temporary' || (restart === 'transient' && end.normal)) return { kind: 'over' };
  if (end.quarantined) return { kind: 'quarantine', probeMs: probeMs ?? 0 };
  const restarts = [...history.restarts.filter((at) => at >= now - periodMs), now];
  if (restarts.length > maxRestarts)
    return probeMs === undefined ? { kind: 'escalate' } : { kind: 'quarantine', probeMs };
  const crashes = isHealthy(end.output) ? 1 : history.crashes + 1;
  // A single crash needs no pause, and should not be noticeable.
  const delayMs = crashes === 1 ? 0 : backOffMs(backOff, crashes - 1, random);
  return { kind: 'restart', delayMs, history: { restarts, crashes } };
}
