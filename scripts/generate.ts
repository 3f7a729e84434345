/** Writes the files that follow from the schemas and docs/configuration.md; `--check` only reports whether they are current. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { editorSchema } from '../src/config/editor-schema';
import { configurationReference } from '../src/config/reference';
import { asyncApiDocument } from '../src/contract/asyncapi';

const ROOT = path.resolve(__dirname, '..');

const GENERATED: Readonly<Record<string, string>> = {
  'actors.schema.json': JSON.stringify(editorSchema()),
  'docs/asyncapi.json': JSON.stringify(asyncApiDocument()),
  'docs/configuration.md': configurationReference(),
};

async function main(): Promise<void> {
  const check = process.argv.includes('--check');
  const options = await resolveConfig(path.join(ROOT, 'package.json'));
  for (const [name, source] of Object.entries(GENERATED)) {
    const file = path.join(ROOT, name);
    const text = await format(source, { ...options, filepath: file });
    if (!check) writeFileSync(file, text);
    else if (readFileSync(file, 'utf8') !== text) {
      process.stderr.write(`${name} is not current: run npm run generate\n`);
      process.exitCode = 1;
    }
  }
}

void main();
