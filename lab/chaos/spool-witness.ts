/** Sees every frame that is captured: the kernel reports each file that is renamed into the spool (inotify). */
import { mkdirSync, watch, type FSWatcher } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { frameId, type Frame } from '../../src/contract/frame';
import { parseSpoolName } from '../../src/spool/names';

export interface Captured {
  readonly frame: Frame;
  /** When its file appeared, on a clock that is never set. */
  readonly seenMs: number;
}

export class SpoolWitness {
  /** By frame id. */
  readonly captured = new Map<string, Captured>();
  readonly #watchers: FSWatcher[];

  /**
   * Watches from before the cameras begin.
   * @param memoryDir where frames go that the disk does not take, named `<camera>.<spool name>`
   */
  constructor(spoolDir: string, cameras: readonly string[], memoryDir: string | undefined) {
    this.#watchers = cameras.map((camera) =>
      this.#watch(path.join(spoolDir, camera), (name) => parseSpoolName(camera, name)),
    );
    if (memoryDir !== undefined) this.watchMemory(memoryDir);
  }

  watchMemory(memoryDir: string): void {
    this.#watchers.push(
      this.#watch(memoryDir, (name) => {
        const dot = name.indexOf('.');
        return parseSpoolName(name.slice(0, dot), name.slice(dot + 1));
      }),
    );
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(folder: string, parse: (name: string) => Frame | undefined): FSWatcher {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return watch(folder, (_event, name) => {
      const frame = parse(name ?? '');
      if (frame === undefined || this.captured.has(frameId(frame))) return;
      this.captured.set(frameId(frame), { frame, seenMs: performance.now() });
    });
  }
}
