/** How text is shown: its width, and whether it has colours. Pure. */
import { hasColours } from '../log/entry';
import { WIDTH } from './table';

export type Colour = 'red' | 'yellow' | 'green';

export interface Style {
  /** Characters of a line. */
  readonly width: number;
  readonly paint: (colour: Colour, text: string) => string;
}

/** For pipes and files. */
export const PLAIN: Style = { width: WIDTH, paint: (_, text) => text };

/** Narrower tables cannot be read, and longer lines are hard to. */
const [NARROWEST, WIDEST] = [60, 160];
/** For a terminal that does not report its size. */
const USUAL = { columns: 80, rows: 24 } as const;

/** ECMA-48, "SGR": foreground colours. */
const CODES: Readonly<Record<Colour, number>> = { red: 31, green: 32, yellow: 33 };

/** The part of a stream that shows whether it is a terminal. */
export interface Shown {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export function styleOf({ isTTY = false, columns = 0 }: Shown, env: NodeJS.ProcessEnv): Style {
  if (!isTTY) return PLAIN;
  const width = Math.min(Math.max(columns > 0 ? columns : USUAL.columns, NARROWEST), WIDEST);
  return hasColours({ isTTY }, env)
    ? { width, paint: (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[39m` }
    : { ...PLAIN, width };
}

/** Lines of a terminal. */
export function heightOf({ rows = 0 }: Shown): number {
  return rows > 0 ? rows : USUAL.rows;
}
