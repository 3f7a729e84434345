/** A camera's gaps: periods without a frame, reported with the reason. */
import type { CameraSpec } from '../../config/topology';
import type { ActorContext } from '../../protocol/actor';
import type { CameraParameters } from '../../protocol/messages';
import { LostPeriods, type LostRun } from './sampling/lost-periods';
import type { Periods, Sample } from './sampling/sample';

export class Gaps {
  readonly #lost = new LostPeriods();

  constructor(private readonly context: ActorContext<CameraParameters>) {}

  /** Counts a sample without a result as a gap. */
  lose({ sequence }: Sample, reason: string): void {
    this.#reportLost(this.#lost.add(sequence, reason));
  }

  /** Reports the lost samples that are still being joined. */
  end(): void {
    this.#reportLost(this.#lost.end());
  }

  report({ firstSequence, lastSequence }: Periods, reason: string): void {
    const camera = this.context.parameters.camera.id;
    const missed = lastSequence - firstSequence + 1;
    this.context.report({ kind: 'gap', gap: { camera, firstSequence, lastSequence, missed, reason } });
  }

  #reportLost(run: LostRun | undefined): void {
    if (run !== undefined) this.report(run, run.reason);
  }
}

/** Why periods had no picture although nothing failed. */
export function silentReason(
  { sampling, periodMs, format }: CameraSpec,
  keyIntervalMs: number | undefined,
): string {
  return (sampling === 'keyframes' || format === 'keyframe') && (keyIntervalMs ?? 0) > periodMs
    ? 'keyframe-interval'
    : 'no-picture';
}
