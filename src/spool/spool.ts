/** The durable outbox between cameras and store: `<spool>/<camera>/<name>`, a file for every frame not yet confirmed. */
import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '../protocol/fault';
import { CAMERA_ID_PATTERN, type Frame } from '../contract/frame';
import { parseSpoolName, spoolName } from './names';

const CAMERA_ID = new RegExp(CAMERA_ID_PATTERN);
/** Of this process or machine at this moment; they say nothing about the file. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN']);
const TEMPORARY = /^\..*\.tmp$/;

export class Spool {
  constructor(private readonly dir: string) {}

  /** Makes a camera's folder and removes what a crash left half-written in it. */
  async openCamera(camera: string): Promise<void> {
    const folder = path.join(this.dir, camera);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const leftovers = (await readdir(folder)).filter((name) => TEMPORARY.test(name));
    await Promise.all(leftovers.map((name) => unlink(path.join(folder, name)).catch(ignoreMissing)));
  }

  /** Once this resolves, no crash of any process loses the picture. */
  async write(frame: Frame, bytes: Buffer): Promise<void> {
    const file = this.#path(frame);
    const temporary = path.join(path.dirname(file), `.${path.basename(file)}.tmp`);
    try {
      await writeFile(temporary, bytes, { mode: 0o600 });
      await rename(temporary, file);
    } catch (error) {
      // On a full disk half a picture would only take room from the next.
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
  }

  /**
   * The picture's bytes; undefined when the file has gone.
   * @throws Fault `damaged-frame` when it cannot be read, or has not the size its name says; `spool-read` when that
   * may be otherwise in a moment
   */
  async read(frame: Frame): Promise<Buffer | undefined> {
    const name = `camera ${frame.camera}: ${spoolName(frame)} in the spool`;
    const bytes = await readFile(this.#path(frame)).catch((error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      if (SHORTAGES.has(code ?? ''))
        throw new Fault('spool-read', `${name} cannot be read now (${code ?? message})`);
      throw new Fault('damaged-frame', `${name} cannot be read (${code ?? message}) and is set aside`);
    });
    if (bytes === undefined || bytes.length === frame.bytes) return bytes;
    throw new Fault('damaged-frame', `${name} has ${String(bytes.length)} bytes and is set aside`);
  }

  async remove(frame: Frame): Promise<void> {
    await unlink(this.#path(frame)).catch(ignoreMissing);
  }

  /** Takes a damaged file out of the way, where a person can look at it: `<spool>/<camera>/damaged/`. */
  async setAside(frame: Frame): Promise<void> {
    const file = this.#path(frame);
    const folder = path.join(path.dirname(file), 'damaged');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rename(file, path.join(folder, path.basename(file))).catch(ignoreMissing);
  }

  /** All frames that wait, oldest first. */
  async list(): Promise<Frame[]> {
    const cameras = await readdir(this.dir, { withFileTypes: true }).catch(ignoreMissing);
    const folders = (cameras ?? [])
      .map((entry) => (entry.isDirectory() ? entry.name : ''))
      .filter((name) => CAMERA_ID.test(name));
    const frames: Frame[] = [];
    for (const camera of folders) {
      const names = (await readdir(path.join(this.dir, camera)).catch(ignoreMissing)) ?? [];
      for (const name of names) {
        const frame = parseSpoolName(camera, name);
        if (frame !== undefined) frames.push(frame);
      }
    }
    return frames.sort((a, b) => a.capturedAt - b.capturedAt);
  }

  #path(frame: Frame): string {
    return path.join(this.dir, frame.camera, spoolName(frame));
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
