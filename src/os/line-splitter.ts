/** Lines of a stream, wherever its chunks end. */
import type { Readable } from 'node:stream';
import { lastOf } from '../url/redact';

/** Characters kept of a line that has not ended, unless the caller says otherwise. */
const MAX_LINE_CHARS = 64_000;

export class LineSplitter {
  #rest = '';

  /** @param maxChars kept of a line that has not ended: its last ones */
  constructor(private readonly maxChars = MAX_LINE_CHARS) {}

  /** The lines that `text` completes, without line ends. `text` has whole characters, as from a stream with an encoding. */
  push(text: string): string[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lastOf(lines.pop() ?? '', this.maxChars);
    return lines;
  }

  /** The text since the last line end. */
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
