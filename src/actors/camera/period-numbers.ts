/**
 * Reports the periods by which frames and gaps are numbered: at the start, and when the sampling period
 * changes.
 */
import type { ActorContext } from '../../protocol/actor';
import type { CameraParameters } from '../../protocol/messages';
import type { Feed } from './capture/feed';
import type { Gaps } from './gaps';
import type { Sample } from './sampling/sample';

export class PeriodNumbers {
  #periodMs = 0;

  constructor(
    private readonly context: ActorContext<CameraParameters>,
    private readonly gaps: Gaps,
  ) {}

  /** @param sample the first one of the new period; without it, numbering begins with the current period */
  follow({ configured, plan }: Feed, sample?: Sample): void {
    const { id, periodMs } = configured;
    if (this.#periodMs === periodMs) return;
    this.#periodMs = periodMs;
    this.gaps.end();
    const present = Math.max(plan.nextSequence ?? 0, Math.floor(Date.now() / periodMs));
    const firstSequence = sample?.sequence ?? present;
    this.context.report({ kind: 'periods', camera: id, periodMs, firstSequence });
  }
}
