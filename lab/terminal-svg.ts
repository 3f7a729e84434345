/** A picture of a terminal: a command and what it printed, as SVG. It has a background of its own, for light and dark pages. */

/** Pixels. */
const CHARACTER_WIDTH = 8;
const LINE_HEIGHT = 18;
const FONT_SIZE = 13;
const MARGIN = 20;

/**
 * @param command without its prompt
 * @param output plain text, without escape sequences
 */
export function terminalSvg(command: string, output: string): string {
  const lines = [`$ ${command}`, ...output.trimEnd().split('\n')];
  const columns = Math.max(...lines.map(({ length }) => length));
  const width = columns * CHARACTER_WIDTH + 2 * MARGIN;
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(command)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#1c2128"/>`,
    `<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT_SIZE}" fill="#d5dbe1" xml:space="preserve">`,
    ...lines.map(lineSvg),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** The length of each text is given, so that columns stand below each other in any font. */
function lineSvg(line: string, i: number): string {
  const text = line.trimStart();
  if (text === '') return '';
  const x = MARGIN + (line.length - text.length) * CHARACTER_WIDTH;
  const y = MARGIN + i * LINE_HEIGHT + FONT_SIZE;
  const length = text.length * CHARACTER_WIDTH;
  const weight = i === 0 ? ' font-weight="bold"' : '';
  return `<text x="${x}" y="${y}" textLength="${length}"${weight}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
