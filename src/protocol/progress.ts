/** What an actor reports about its work once a second: that it runs, and that it makes progress. */
import type { FaultRecord } from '../fault/fault';

export interface Progress {
  /** Units of work finished since the process began (pictures, deliveries, announcements); never falls. */
  readonly done: number;
  /** Milliseconds within which `done` must rise; absent while nothing is due, such as during an outage. */
  readonly dueMs?: number | undefined;
  /** What prevents it from working now. */
  readonly fault?: FaultRecord | undefined;
  /** Figures for operators, by name. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export interface Heartbeat extends Progress {
  /** Resident memory of the actor's process, bytes. */
  readonly memoryBytes: number;
}

/** Milliseconds between two heartbeats, a tenth more or less. */
export const HEARTBEAT_MS = 1000;
