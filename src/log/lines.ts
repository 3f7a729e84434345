/** Lines on their way to whoever reads the log: a reader that is stuck costs lines, not memory. */
/** Bytes that wait for the reader at most; some 5000 lines. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** What of a stream is used here. */
export interface LineSink {
  readonly writableLength: number;
  write(text: string): unknown;
}

export class BoundedLines {
  #lost = 0;

  /** @param lostLine the line that says how many were lost; written as soon as the reader goes on */
  constructor(
    private readonly sink: LineSink,
    private readonly lostLine: (count: number) => string,
  ) {}

  /** Passes a line on, without its end, or drops it when too much waits already. */
  write(line: string): void {
    if (this.sink.writableLength > MAX_UNREAD_BYTES) {
      this.#lost++;
      return;
    }
    if (this.#lost > 0) this.sink.write(`${this.lostLine(this.#lost)}\n`);
    this.#lost = 0;
    this.sink.write(`${line}\n`);
  }
}
