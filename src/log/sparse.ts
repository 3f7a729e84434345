/** Lines that may repeat without limit: the first few of each minute are logged, the others counted. */

const MINUTE_MS = 60_000;
/** Slightly more ends of a process than lead to its quarantine by default. */
const MOST_A_MINUTE = 10;

export class Sparse {
  #said: number[] = [];
  #skipped = 0;

  constructor(private readonly now: () => number) {}

  /** Calls `say` unless the minute's lines are used up; `skipped` is the number of lines suppressed since the last one. */
  say(line: (skipped: number) => void): void {
    const now = this.now();
    this.#said = this.#said.filter((at) => now - at < MINUTE_MS);
    if (this.#said.length >= MOST_A_MINUTE) {
      this.#skipped++;
      return;
    }
    this.#said.push(now);
    line(this.#skipped);
    this.#skipped = 0;
  }
}
