/** The package this program runs from. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Its folder, absolute: this file is at the same depth in the sources and in the compiled code. */
export const PACKAGE_DIR = path.resolve(__dirname, '../..');

/** @throws if package.json cannot be read */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(path.join(PACKAGE_DIR, 'package.json'), 'utf8')) as { version: string })
    .version;
}
