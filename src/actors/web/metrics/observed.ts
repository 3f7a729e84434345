/** The data from which the metrics are made. */
import type { Figures } from '../../../supervisor/figures';
import type { View } from '../view/daemon-view';
import type { Cost } from './process-cost';

export interface Observed {
  readonly view: View;
  readonly figures: Figures;
  /** By pid. */
  readonly costs: ReadonlyMap<number, Cost>;
  readonly nowMs: number;
  /** Whether the tags of cameras are exported. */
  readonly withTags: boolean;
}
