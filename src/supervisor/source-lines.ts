/** Stack traces of a bundled process name lines of its bundle: in crash reports they are mapped to lines of the source. */
import { readFile } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';

/** A file and a place in it, as V8 writes them in a stack trace, both counted from 1. */
const PLACE = /(\/[^()\s]*\/bundle\/[^()\s]*\.js):(\d+):(\d+)/;

/** Lines that name no bundle, or one without a source map, stay unchanged. Never throws. */
export async function withSourceLines(lines: readonly string[]): Promise<readonly string[]> {
  const bundle = lines.map((line) => PLACE.exec(line)?.[1]).find((file) => file !== undefined);
  if (bundle === undefined) return lines;
  try {
    const map = new SourceMap(JSON.parse(await readFile(`${bundle}.map`, 'utf8')) as SourceMapPayload);
    return lines.map((line) =>
      line.replace(PLACE, (place, file) => (file === bundle ? sourceOf(place, bundle, map) : place)),
    );
  } catch {
    return lines;
  }
}

function sourceOf(place: string, bundle: string, map: SourceMap): string {
  const [, , line, column] = PLACE.exec(place) ?? [];
  const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
  if (!('originalSource' in entry)) return place;
  const file = path.resolve(path.dirname(bundle), entry.originalSource);
  return `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
}
