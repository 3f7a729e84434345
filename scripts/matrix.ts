/**
 * `npm run matrix -- [--rows h265,audio] [--at-once 4] [--slack 1] [--cheap] [--ffmpeg PROGRAM] [--list] [--write]`: cameras of every kind
 * against the pictures they were made of. Prints the table of docs/matrix.md, and puts it there with --write. Exit 1 when a
 * row is red.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { isGreen, sentence, table } from '../lab/matrix/table';
import type { Row } from '../lab/matrix/row';
import { ROWS } from '../lab/matrix/rows';
import { runRows } from '../lab/matrix/run-rows';

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    'at-once': { type: 'string', default: '4' },
    slack: { type: 'string', default: '1' },
    cheap: { type: 'boolean', default: false },
    ffmpeg: { type: 'string' },
    list: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

/** Rows with one of the given texts in their names, each text consists of terms that must all occur. */
function chosenRows(): readonly Row[] {
  const wanted = values.rows?.split(',').map((text) => text.trim().split(/\s+/));
  const isNamed = ({ name }: Row) =>
    wanted?.some((words) => words.every((word) => name.includes(word))) ?? true;
  const chosen = ROWS.filter((row) => isNamed(row) && (!values.cheap || row.cheap));
  if (chosen.length === 0)
    throw new Error(`no row has "${values.rows ?? ''}" in its name; --list prints them`);
  return chosen;
}

const DOCUMENT = path.resolve(__dirname, '../docs/matrix.md');
/** The newest table in the document is between these marks. */
const MARKS = ['<!-- table -->', '<!-- end of table -->'] as const;

async function writeTable(text: string): Promise<void> {
  const [begin, end] = MARKS;
  const document = await readFile(DOCUMENT, 'utf8');
  const [before, rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${DOCUMENT} has no place for a table`);
  const written = `${before}${begin}\n\n${text}\n\n${end}${after}`;
  const options = await resolveConfig(DOCUMENT);
  await writeFile(DOCUMENT, await format(written, { ...options, parser: 'markdown' }));
}

async function main(): Promise<number> {
  if (values.write && (values.rows !== undefined || values.cheap))
    throw new Error('--write puts the table of all rows: leave --rows and --cheap out');
  const rows = chosenRows();
  if (values.list) {
    process.stdout.write(
      `${rows.map(({ name, cheap }) => `${name}${cheap ? ' (npm test)' : ''}`).join('\n')}\n`,
    );
    return 0;
  }
  const judgements = await runRows(rows, {
    slack: Number(values.slack),
    atOnce: Number(values['at-once']),
    ffmpeg: values.ffmpeg,
    onJudged: (judgement) => {
      process.stderr.write(`${sentence(judgement)}\n`);
    },
  });
  const red = judgements.filter((judgement) => !isGreen(judgement));
  if (values.write) await writeTable(table(judgements));
  process.stdout.write(`${table(judgements)}\n\n${red.length} of ${rows.length} rows are red\n`);
  return red.length === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`the matrix could not be run: ${(error as Error).message}\n`);
    process.exit(1);
  },
);
