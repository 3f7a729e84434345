/** A terminal's alternate screen, redrawn in place; the terminal's contents return afterwards. Sequences: xterm, "ctlseqs". */
import { print } from '../os/output';

/** Alternate screen, no cursor, and lines that are too long end at the edge instead of wrapping. */
const OPEN = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const CLOSE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const TO_END_OF_LINE = '\u001b[K';
const TO_END_OF_SCREEN = '\u001b[J';

/** The output that draws `lines` from the top left corner, without clearing first: that would flicker. Pure. */
export function drawing(lines: readonly string[], height: number): string {
  const shown =
    lines.length <= height ? lines : [...lines.slice(0, height - 1), more(lines.length - height + 1)];
  return `${HOME}${shown.map((line) => line + TO_END_OF_LINE).join('\r\n')}${TO_END_OF_SCREEN}`;
}

function more(count: number): string {
  return `(${count} more lines: make the terminal higher, or show less)`;
}

export class Screen {
  #isOpen = false;

  async open(): Promise<void> {
    this.#isOpen = true;
    await print(OPEN);
  }

  /** Draws nothing while the screen is closed. */
  async draw(lines: readonly string[], height: number): Promise<void> {
    if (this.#isOpen) await print(drawing(lines, height));
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await print(CLOSE);
  }
}
