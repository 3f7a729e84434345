/** Limits the number of simultaneous starts: starting everything at once would starve what already runs. */

export class StartGate {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private width: number) {}

  resize(width: number): void {
    this.width = width;
    this.#letIn();
  }

  /** Resolves with the result of `start`, which runs once there is room. Rejects as `start` does. */
  async pass<T>(start: () => Promise<T>): Promise<T> {
    await new Promise<void>((enter) => {
      this.#waiting.push(enter);
      this.#letIn();
    });
    try {
      return await start();
    } finally {
      this.#running--;
      this.#letIn();
    }
  }

  #letIn(): void {
    while (this.#running < this.width) {
      const enter = this.#waiting.shift();
      if (enter === undefined) return;
      this.#running++;
      enter();
    }
  }
}
