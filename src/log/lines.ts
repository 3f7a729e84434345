/** Lines on their way to a reader of the log: a stuck reader costs lines, not memory. */
/** Maximum number of bytes waiting for the reader: about 5000 lines. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** The parts of a stream used here. */
export interface LineSink {
  readonly writableLength: number;
  write(text: string): unknown;
}

export class BoundedLines {
  #lost = 0;

  /** @param lostLine the line that states how many were lost; written as soon as the reader continues */
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
