/** Reports delivered frames together: after an outage there are hundreds a second. */
import type { Frame } from '../../contract/frame';
import type { DeliveredFrame } from '../../protocol/messages';

const TOGETHER_MS = 50;

export class DeliveredReports {
  /** Delivered and not reported yet. */
  #frames: DeliveredFrame[] = [];
  #timer: NodeJS.Timeout | undefined;
  #total = 0;

  constructor(private readonly report: (frames: readonly DeliveredFrame[]) => void) {}

  /** Frames added so far. */
  get total(): number {
    return this.#total;
  }

  add({ camera, sequence }: Frame, delayed: boolean): void {
    this.#total++;
    this.#frames.push({ camera, sequence, delayed });
    this.#timer ??= setTimeout(() => this.flush(), TOGETHER_MS);
  }

  /** Reports at once what has not been reported. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#frames.length > 0) this.report(this.#frames);
    this.#frames = [];
  }
}
