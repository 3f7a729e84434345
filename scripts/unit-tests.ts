/**
 * Runs test/unit in this one process: no server, no program but Node, a fraction of the start-up that a process per file takes.
 * Arguments are test files, or parts of their names; all of test/unit without.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';

const UNIT = path.resolve(__dirname, '../test/unit');

const wanted = process.argv.slice(2).map((name) => path.basename(name));
const files = readdirSync(UNIT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort();

if (files.length === 0) {
  process.stderr.write(`no file below test/unit has a name with ${wanted.join(' or ')}\n`);
  process.exitCode = 1;
}
for (const file of files) require(path.join(UNIT, file));
