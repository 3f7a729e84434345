/** The matrix as the table of docs/matrix.md. Pure. */
import { markdownTable } from '../markdown-table';
import { CHECKS, type Judgement } from './judge-row';

const HEAD = ['row', 'pictures', 'first s', 'late ms', 'bound', 'error', 'colour', 'result'];

export function isGreen({ faults }: Judgement): boolean {
  return Object.keys(faults).length === 0;
}

export function table(judgements: readonly Judgement[]): string {
  return markdownTable(HEAD, judgements.map(cells));
}

/** One line; its faults too. */
export function sentence(judgement: Judgement): string {
  const { row, faults } = judgement;
  const said = CHECKS.flatMap((check) => (faults[check] === undefined ? [] : [`${check}: ${faults[check]}`]));
  return `${said.length === 0 ? 'green' : 'RED  '} ${row.name}${said.map((each) => `\n        ${each}`).join('')}`;
}

function cells(judgement: Judgement): string[] {
  const { row, faults, seen } = judgement;
  const { pictures, firstPictureMs, lateMs, lateBoundMs, error, colourMean, colourMost } = seen;
  const red = CHECKS.filter((check) => check in faults);
  return [
    row.name,
    String(pictures),
    firstPictureMs === undefined ? '-' : (firstPictureMs / 1000).toFixed(1),
    lateMs === undefined ? '-' : lateMs.toFixed(0),
    lateBoundMs.toFixed(0),
    error === undefined ? '-' : error.toFixed(2),
    colourMean === undefined ? '' : `${colourMean.toFixed(1)} / ${(colourMost ?? NaN).toFixed(1)}`,
    red.length === 0 ? 'green' : `RED: ${red.join(', ')}`,
  ];
}
