/** Lines of a stream, wherever its chunks end. */
import type { Readable } from 'node:stream';
import { lastOf } from '../url/redact';

/** Characters kept of a line that has not ended, unless the caller says otherwise. */
const MAX_LINE_CHARS = 64_000;

export class LineSplitter {
  #rest = '';

  /** @param maxChars kept of a line that has not ended: its last ones */
  constructor(private readonly maxChars = MAX_LINE_CHARS) {}

  /** The lines that `text` ends, without their ends. `text` holds whole characters, as a stream with an encoding gives. */
  push(text: string): string[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lastOf(lines.pop() ?? '', this.maxChars);
    return lines;
  }

  /** What came since the last end of a line. */
  get rest(): string {
    return this.#rest;
  }
}

/** Calls back for each line of `stream` that is not blank, and for the rest when it ends. */
export function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  const splitter = new LineSplitter();
  const tell = (lines: readonly string[]) => {
    for (const line of lines) if (line.trim() !== '') onLine(line);
  };
  stream
    ?.setEncoding('utf8')
    .on('data', (text: string) => tell(splitter.push(text)))
    .once('end', () => tell([splitter.rest]));
}
