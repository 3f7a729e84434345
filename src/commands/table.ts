/** Text that fits a terminal: columns, wrapped sentences, and times for people. Pure. */

/** Maximum width of all output for operators, in characters, unless a terminal has another. */
export const WIDTH = 100;
const BETWEEN = '  ';

/** Control characters become blanks: a fault may quote what a camera's server sent. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

/**
 * Lines of at most `width` characters. A longer word is cut.
 * @param indent prefix of all lines but the first
 * @param first prefix of the first line
 */
export function wrap(text: string, indent = '', width = WIDTH, first = ''): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of oneLine(text).split(' ')) {
    const joined = isEmpty ? line + word : `${line} ${word}`;
    if (joined.length > width && !isEmpty) lines.push(line);
    line = joined.length <= width || isEmpty ? joined : indent + word;
    for (; line.length > width; line = indent + line.slice(width)) lines.push(line.slice(0, width));
    isEmpty = false;
  }
  return [...lines, line].map((each) => each.trimEnd());
}

/** A sentence about the row above it, indented. */
export function below(text: string, width = WIDTH): string[] {
  return wrap(text, '  ', width, '  ');
}

/**
 * Rows whose columns stand below each other, columns of numbers to the right. The first column, a name, gets what the others
 * leave of `width`: a longer name has a line of its own. The last column wraps.
 */
export function table(cells: readonly (readonly string[])[], width = WIDTH): string[] {
  return tableRows(cells, width).flat();
}

interface Column {
  readonly width: number;
  readonly isNumeric: boolean;
}

/** The lines of each row, row by row. */
export function tableRows(cells: readonly (readonly string[])[], lineWidth = WIDTH): string[][] {
  const rows = cells.map((row) => row.map(oneLine));
  const [name, ...others] = (rows[0] ?? []).map((_, i) => columnOf(rows.map((row) => row[i] ?? '')));
  if (name === undefined) return [];
  const taken = others.reduce((sum, { width }) => sum + BETWEEN.length + Math.min(width, lineWidth / 4), 0);
  const first = { ...name, width: Math.min(name.width, Math.max(lineWidth - taken, 1)) };
  return rows.map((row) => rowLines(row, [first, ...others], lineWidth));
}

/** @param cells the first may be a title */
function columnOf(cells: readonly string[]): Column {
  const width = cells.reduce((widest, { length }) => Math.max(widest, length), 0);
  const isNumeric = cells.length > 1 && cells.slice(1).every((cell) => /^([\d.]+( %|\/s)?|-)$/.test(cell));
  return { width, isNumeric };
}

function rowLines(row: readonly string[], columns: readonly Column[], lineWidth: number): string[] {
  const [name = ''] = row;
  const hasOwnLine = row.length > 1 && name.length > (columns[0]?.width ?? 0);
  const shown = hasOwnLine ? ['', ...row.slice(1)] : row;
  const line = shown.map((cell, i) => aligned(cell, columns[i])).join(BETWEEN);
  const hanging = columns.slice(0, -1).reduce((sum, { width }) => sum + width + BETWEEN.length, 0);
  return [...(hasOwnLine ? wrap(name, '', lineWidth) : []), ...hung(line.trimEnd(), hanging, lineWidth)];
}

function aligned(cell: string, { width, isNumeric }: Column = { width: 0, isNumeric: false }): string {
  return isNumeric ? cell.padStart(width) : cell.padEnd(width);
}

/** Wraps the excess of the last column below the beginning of that column. */
function hung(line: string, hanging: number, width: number): string[] {
  const at = Math.min(hanging, Math.floor(width / 2));
  return line.length <= width ? [line] : wrap(line.slice(at), ' '.repeat(at), width, line.slice(0, at));
}

const UNITS: readonly [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** `3d 4h`, `12m 5s`, `0s`: the two largest units. */
export function duration(ms: number): string {
  let rest = Math.max(0, ms);
  const parts = UNITS.map(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return { unit, count };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  if (first === -1) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(({ count }) => count > 0)
    .map(({ unit, count }) => `${count}${unit}`)
    .join(' ');
}
