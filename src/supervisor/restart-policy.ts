/** When a child that ended is started again, as a pure function of how often that happened. */
import { backOffMs, type BackOff } from '../clock/back-off';

const BACK_OFF: BackOff = { firstMs: 250, capMs: 30_000 };
/** Milliseconds of working output after which earlier crashes are forgotten; uptime alone proves nothing. */
const HEALTHY_MS = 60_000;

/** What is known of a child that has just ended. */
export interface ChildHistory {
  /** Ends in a row, this one included, from 1. */
  readonly crashes: number;
  /** When its last incarnation first did its work, milliseconds since the epoch; undefined if it never did. */
  readonly workingSince: number | undefined;
}

/** Crashes that count: those before a stretch of healthy output are forgotten. */
export function countedCrashes({ crashes, workingSince }: ChildHistory, now: number): number {
  return workingSince !== undefined && now - workingSince >= HEALTHY_MS ? 1 : crashes;
}

/** Milliseconds until the next start: none after a single crash, then exponential with full jitter. */
export function restartDelayMs(crashes: number, random: number): number {
  return crashes <= 1 ? 0 : backOffMs(BACK_OFF, crashes - 1, random);
}
