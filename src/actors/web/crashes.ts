/** Crash reports of a camera, from the files of the black box, which hold no credential. */
import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { isObject } from '../../config/is-object';
import { crashFolder } from '../../supervisor/crash-files';
import type { ApiCrash } from './view/api';

const MOST = 10;
/** Maximum number of lines returned per output. */
const MOST_LINES = 20;
/** Their writer bounds them to less. */
const MAX_BYTES = 256 * 1024;

/** The newest first; empty if none was written. A file that cannot be read, or is half written, is left out. */
export async function readCrashes(dir: string, camera: string): Promise<ApiCrash[]> {
  const folder = path.join(dir, crashFolder(`camera:${camera}`));
  const names = await readdir(folder).catch(() => []);
  // They begin with the time.
  const newest = names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .reverse();
  const read = await Promise.all(newest.slice(0, MOST).map((name) => readCrash(path.join(folder, name))));
  return read.filter((crash) => crash !== undefined);
}

async function readCrash(file: string): Promise<ApiCrash | undefined> {
  try {
    return crashOf(JSON.parse(await startOf(file)) as unknown);
  } catch {
    return undefined;
  }
}

async function startOf(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

function crashOf(record: unknown): ApiCrash | undefined {
  if (!isObject(record) || !isObject(record['fault'])) return undefined;
  const { endedAt, startedAt, fault, lastLines, ffmpeg } = record;
  const [at, started] = [endedAt, startedAt].map((time) => Date.parse(String(time)));
  const { code, message } = fault;
  if (at === undefined || started === undefined || Number.isNaN(at) || Number.isNaN(started))
    return undefined;
  return {
    ...{ at, startedAt: started, code: String(code), message: String(message) },
    lastLines: linesOf(lastLines),
    ffmpeg: linesOf(ffmpeg),
  };
}

function linesOf(lines: unknown): string[] {
  return Array.isArray(lines) ? lines.map(String).slice(-MOST_LINES) : [];
}
