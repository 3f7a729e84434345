/** Saves frames as files named after the local time of their capture. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CAMERA_ID_PATTERN, frameExtension, type Frame } from '../contract/frame';
import { ConsumerError, codeOf, textOf } from './fault';

type SavedFrame = Pick<Frame, 'camera' | 'capturedAt' | 'format'>;

const CAMERA_ID = new RegExp(CAMERA_ID_PATTERN);

/**
 * Writes `<out>/<camera>/frame_<MM_DD_YYYY-HH_MM_SS>.<ext>`, whole or not at all, with the capture time (milliseconds
 * since the epoch) as its modification time, and returns its path. The same frame again replaces its own file;
 * another frame of that second gets its milliseconds appended. Throws a {@link ConsumerError} `output-failed`.
 */
export async function writeFrame(out: string, frame: SavedFrame, bytes: Buffer): Promise<string> {
  if (!CAMERA_ID.test(frame.camera))
    throw new ConsumerError('output-failed', 'the camera id is not safe in a path');
  const folder = path.join(out, frame.camera);
  const temporary = path.join(folder, `.${randomUUID()}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(temporary, bytes);
    await utimes(temporary, frame.capturedAt / 1000, frame.capturedAt / 1000);
    return await moveToFreeName(temporary, folder, frame);
  } catch (cause) {
    throw new ConsumerError('output-failed', `cannot save to ${folder}: ${textOf(cause)}`, { cause });
  } finally {
    // The cause of a failure has been reported.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** `frame_` and the local time, as strftime's `%m_%d_%Y-%H_%M_%S`. `capturedAt` in milliseconds since the epoch. */
export function frameFileStem(capturedAt: number): string {
  const time = new Date(capturedAt);
  const date = [padded(time.getMonth() + 1), padded(time.getDate()), padded(time.getFullYear(), 4)];
  const clock = [padded(time.getHours()), padded(time.getMinutes()), padded(time.getSeconds())];
  return `frame_${date.join('_')}-${clock.join('_')}`;
}

function padded(value: number, digits = 2): string {
  return String(value).padStart(digits, '0');
}

/**
 * Frames that share a second are distinguished by their modification times. The last name contains the whole
 * capture time: the hour that clocks repeat can bring the same millisecond twice.
 */
async function moveToFreeName(temporary: string, folder: string, frame: SavedFrame): Promise<string> {
  const { capturedAt, format } = frame;
  const stem = frameFileStem(capturedAt);
  const millisecond = padded(capturedAt % 1000, 3);
  for (const suffix of ['', `_${millisecond}`]) {
    const target = path.join(folder, `${stem}${suffix}.${frameExtension(format)}`);
    if (await moveUnlessTaken(temporary, target, capturedAt)) return target;
  }
  const last = path.join(folder, `${stem}_${millisecond}_${capturedAt}.${frameExtension(format)}`);
  await rename(temporary, last);
  return last;
}

/** False if another frame has the name. */
async function moveUnlessTaken(temporary: string, target: string, capturedAt: number): Promise<boolean> {
  // Unlike a rename, a link takes a name only if it is free: two frames of one second may be written at the same time.
  if (await linked(temporary, target)) return true;
  if ((await modifiedAt(target)) !== capturedAt) return false;
  await rename(temporary, target);
  return true;
}

async function linked(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // A file system without hard links.
    if ((await modifiedAt(target)) !== undefined) return false;
    await rename(temporary, target);
    return true;
  }
}

/** Milliseconds since the epoch; undefined if there is no such file. */
async function modifiedAt(file: string): Promise<number | undefined> {
  try {
    return Math.round((await stat(file)).mtimeMs);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
