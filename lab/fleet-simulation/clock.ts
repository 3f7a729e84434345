/** Simulated time: what is due happens in order, and all that follows from it before the next. */

interface Due {
  readonly atMs: number;
  /** Decides between events at the same time: the one requested first comes first. */
  readonly order: number;
  readonly act: () => void;
}

export class SimulatedClock {
  nowMs = 0;
  #order = 0;
  /** A binary heap. */
  readonly #due: Due[] = [];

  after(ms: number, act: () => void): void {
    this.#push({ atMs: this.nowMs + Math.max(0, ms), order: this.#order++, act });
  }

  /** Until then; promises settle between one event and the next. */
  async run(untilMs: number): Promise<void> {
    for (;;) {
      const [next] = this.#due;
      if (next === undefined || next.atMs > untilMs) break;
      this.#pop();
      this.nowMs = next.atMs;
      next.act();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.nowMs = untilMs;
  }

  #push(due: Due): void {
    const heap = this.#due;
    let i = heap.push(due) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(due, heap[parent])) break;
      heap[i] = heap[parent] as Due;
      i = parent;
    }
    heap[i] = due;
  }

  #pop(): void {
    const heap = this.#due;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      const child = right < heap.length && isBefore(heap[right] as Due, heap[left]) ? right : left;
      if (child >= heap.length || !isBefore(heap[child] as Due, last)) break;
      heap[i] = heap[child] as Due;
      i = child;
    }
    heap[i] = last;
  }
}

function isBefore(a: Due, b: Due | undefined): boolean {
  return b === undefined || a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
