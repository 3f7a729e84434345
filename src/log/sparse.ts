/** Lines that may come in any number: the first few of a minute are said, the others counted. */

const MINUTE_MS = 60_000;
/** As many ends of a process as bring it into quarantine by default, and some. */
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
