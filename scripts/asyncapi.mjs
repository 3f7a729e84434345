// Has the official parser read docs/asyncapi.json: `npm run asyncapi`, which fetches the parser. It is no dependency: it brings 168 packages of
// 54 MB, one of which reports installations to its author; npm test checks the document against AsyncAPI's schema instead.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

// npm exec reports the location of the packages only through the search path.
const [bin = ''] = (process.env['PATH'] ?? '')
  .split(path.delimiter)
  .filter((folder) => folder.includes('_npx'));
const { Parser } = createRequire(path.join(bin, 'here'))('@asyncapi/parser');

const file = new URL('../docs/asyncapi.json', import.meta.url);
const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'));
for (const { severity, message, path: where } of diagnostics)
  console.log(`${severity === 0 ? 'error' : 'advice'}: ${where.join('/')}: ${message}`);
console.log(document === undefined ? 'docs/asyncapi.json is not valid' : 'docs/asyncapi.json is valid');
process.exitCode = document === undefined ? 1 : 0;
