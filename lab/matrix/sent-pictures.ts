/** When a camera sent which picture. */

interface Sending {
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

export class SentPictures {
  readonly #sendings: Sending[] = [];

  readonly add = (number: number, atMs: number): void => {
    this.#sendings.push({ number, atMs });
  };

  /** The newest sending of that number's last packet until then; a clip is longer than any picture takes. */
  lastBefore(number: number, beforeMs: number): number | undefined {
    return this.#sendings.findLast((sending) => sending.number === number && sending.atMs <= beforeMs)?.atMs;
  }
}
