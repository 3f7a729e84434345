/** The package this program runs from. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Its folder, absolute: of the sources and of what is compiled, this file is as deep in both. */
export const PACKAGE_DIR = path.resolve(__dirname, '../..');

/** @throws where package.json cannot be read */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(path.join(PACKAGE_DIR, 'package.json'), 'utf8')) as { version: string })
    .version;
}
