/** A spool on a disk that works, in a folder of the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import type { Frame } from '../../../src/contract/frame';
import { spoolName } from '../../../src/spool/names';
import { Spool, type SpooledFrames } from '../../../src/spool/spool';
import { frameOf } from './frames';

export class SpoolStage {
  dir = '';
  spool!: Spool;

  /** Call it in a suite: every test has a folder of its own. */
  static inSuite(): SpoolStage {
    const stage = new SpoolStage();
    beforeEach(async () => {
      stage.dir = path.join(await mkdtemp(path.join(tmpdir(), 'vigil-spool-')), 'spool');
      stage.spool = new Spool(stage.dir);
    });
    afterEach(async () => {
      await rm(path.dirname(stage.dir), { recursive: true });
    });
    return stage;
  }

  pathOf(frame: Frame): string {
    return path.join(this.dir, frame.camera, spoolName(frame));
  }

  async listed(): Promise<SpooledFrames[]> {
    const all: SpooledFrames[] = [];
    for await (const frames of this.spool.list()) all.push(frames);
    return all;
  }

  async written(changes: Partial<Frame> = {}, bytes = Buffer.from('jpeg')): Promise<Frame> {
    const frame = frameOf(changes);
    await this.spool.openCamera(frame.camera);
    await this.spool.write(frame, bytes);
    return frame;
  }
}
