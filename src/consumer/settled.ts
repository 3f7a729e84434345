/** Reports each frame that a consumer has finished with, for metrics. */
import { performance } from 'node:perf_hooks';
import type { FinalKind } from './attempt';
import type { Task } from './task';

/** Times are in milliseconds. */
export interface SettledFrame {
  readonly key: string;
  readonly camera: string;
  /** `repeated`: the frame had been handled before. */
  readonly outcome: FinalKind | 'overtaken' | 'repeated';
  /** Milliseconds from the capture to now, by this machine's clock. */
  readonly ageMs: number;
  /** Milliseconds from the delivery to the start of the handler; 0 for a frame that was not handled. */
  readonly waitMs: number;
  /** Milliseconds for Redis and the handler. */
  readonly workMs: number;
}

export function tellSettled(
  tell: ((frame: SettledFrame) => void) | undefined,
  task: Task,
  outcome: SettledFrame['outcome'],
): void {
  if (tell === undefined) return;
  const { key, camera, capturedAt, deliveredMs, startedMs } = task;
  const frame = {
    ...{ key, camera, outcome, ageMs: Date.now() - capturedAt },
    waitMs: startedMs === undefined ? 0 : startedMs - deliveredMs,
    workMs: startedMs === undefined ? 0 : performance.now() - startedMs,
  };
  guarded(() => tell(frame));
}

/** Reports an error thrown by `tell` as the application's own: it must not count as a fault of the current frame. */
export function guarded(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
