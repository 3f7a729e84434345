/**
 * Passes ffmpeg's standard error on: the first lines at once, then once a second, so that they are known if
 * this process crashes.
 */
import { redactText } from '../../../url/redact';
import { LineSplitter } from '../../../os/line-splitter';

/**
 * A damaged stream makes ffmpeg write thousands of lines a second: only the last of each second are passed
 * on.
 */
const MAX_LINES = 40;
const PAUSE_MS = 1000;
/** Limit of an unfinished line. */
const MAX_LINE_CHARS = 1000;

export class FeedStderr {
  readonly #splitter = new LineSplitter(MAX_LINE_CHARS);
  #lines: string[] = [];
  #pause: NodeJS.Timeout | undefined;

  /**
   * @param tell receives whole lines without credentials
   * @param secrets returns those of the feed's current URL, which a server may repeat
   */
  constructor(
    private readonly tell: (lines: readonly string[]) => void,
    private readonly secrets: () => readonly string[] = () => [],
  ) {}

  push(text: string): void {
    const lines = this.#splitter.push(text);
    const secrets = this.secrets();
    const whole = lines.filter((line) => line.trim() !== '').map((line) => redactText(line.trim(), secrets));
    this.#lines = [...this.#lines, ...whole].slice(-MAX_LINES);
    if (this.#pause === undefined) this.#tellAll();
  }

  #tellAll(): void {
    this.#pause = undefined;
    if (this.#lines.length === 0) return;
    this.tell(this.#lines);
    this.#lines = [];
    this.#pause = setTimeout(() => this.#tellAll(), PAUSE_MS).unref();
  }
}
