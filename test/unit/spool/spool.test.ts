/** The spool on a disk that works. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import fs, { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { Frame } from '../../../src/contract/frame';
import { spoolName } from '../../../src/spool/names';
import { waitingIn } from '../../../lab/delivery-bench';
import { turn } from '../../../lab/until';
import { frameOf, AT } from './frames';
import { SpoolStage } from './spool-stage';

describe('the spool', () => {
  const stage = SpoolStage.inSuite();

  it('gives back what was written', async () => {
    const frame = await stage.written();
    assert.deepEqual(await stage.spool.read(frame), Buffer.from('jpeg'));
    assert.deepEqual(await waitingIn(stage.spool), [frame]);
    assert.deepEqual(await readdir(path.join(stage.dir, 'gate')), [spoolName(frame)]);
  });

  it('is for its owner alone', async () => {
    const frame = await stage.written();
    assert.equal(statSync(stage.pathOf(frame)).mode & 0o777, 0o600);
    assert.equal(statSync(path.join(stage.dir, 'gate')).mode & 0o777, 0o700);
  });

  it('shows a file under its name only when it is whole', async () => {
    const bytes = Buffer.alloc(24 * 1024 * 1024);
    const frame = frameOf({ bytes: bytes.length });
    await stage.spool.openCamera('gate');
    const state = { done: false };
    const writing = stage.spool.write(frame, bytes).finally(() => {
      state.done = true;
    });
    let looks = 0;
    while (!state.done) {
      for (const listed of await waitingIn(stage.spool))
        assert.equal(statSync(stage.pathOf(listed)).size, bytes.length);
      if (existsSync(stage.pathOf(frame))) assert.equal(statSync(stage.pathOf(frame)).size, bytes.length);
      looks++;
      await turn();
    }
    await writing;
    assert.ok(looks > 3, `looked ${looks} times`);
    assert.equal(statSync(stage.pathOf(frame)).size, bytes.length);
  });

  it('replaces a file atomically: a reader of the old one reads all of it', async () => {
    const frame = await stage.written();
    const old = openSync(stage.pathOf(frame), 'r');
    try {
      await stage.spool.write(frame, Buffer.from('JPEG'));
      assert.equal(readFileSync(old, 'utf8'), 'jpeg');
      assert.equal(readFileSync(stage.pathOf(frame), 'utf8'), 'JPEG');
    } finally {
      closeSync(old);
    }
  });

  it('creates its folder again after it was removed', async () => {
    const frame = await stage.written();
    await rm(path.join(stage.dir, 'gate'), { recursive: true });
    assert.equal(await stage.spool.write(frame, Buffer.from('jpeg')), undefined);
    assert.deepEqual(await waitingIn(stage.spool), [frame]);
  });

  it('keeps many frames written at once', async () => {
    await stage.spool.openCamera('gate');
    const frames = Array.from({ length: 50 }, (_, i) => frameOf({ capturedAt: AT + i }));
    await Promise.all(frames.map((frame) => stage.spool.write(frame, Buffer.from('jpeg'))));
    assert.deepEqual(await waitingIn(stage.spool), frames);
  });

  it('lists all that it can, then reports what it could not list', async (t) => {
    const frames = [
      await stage.written({ camera: 'a' }),
      await stage.written({ camera: 'b' }),
      await stage.written({ camera: 'c' }),
    ];
    const { readdir: read } = fs;
    t.mock.method(fs, 'readdir', async (folder: string, options: { withFileTypes: true }) => {
      if (folder.endsWith('/b')) throw Object.assign(new Error('EACCES: b'), { code: 'EACCES' });
      return read(folder, options);
    });
    const found: Frame[] = [];
    const listing = async () => {
      for await (const { waiting } of stage.spool.list()) found.push(...waiting);
    };
    await assert.rejects(listing, { code: 'spool-read', message: /EACCES: b/ });
    assert.deepEqual(found, [frames[0], frames[2]]);
  });

  it('keeps a confirmed frame apart until it is removed', async () => {
    const frame = await stage.written();
    await stage.spool.confirm(frame);
    assert.deepEqual(await waitingIn(stage.spool), []);
    assert.equal(await stage.spool.read(frame), undefined);
    assert.deepEqual(await stage.spool.readConfirmed(frame), Buffer.from('jpeg'));
    assert.deepEqual(await stage.listed(), [{ waiting: [], confirmed: [frame] }]);
    await stage.spool.removeConfirmed(frame);
    assert.deepEqual(await stage.listed(), [{ waiting: [], confirmed: [] }]);
  });

  it('removes a frame, even one that has gone', async () => {
    const [frame, other] = [await stage.written(), await stage.written({ capturedAt: AT + 1 })];
    await stage.spool.remove(frame);
    await stage.spool.remove(frame);
    assert.equal(await stage.spool.read(frame), undefined);
    assert.deepEqual(await waitingIn(stage.spool), [other]);
  });

  it('lists the frames of all cameras, oldest first', async () => {
    const order = [
      ['b', 3],
      ['a', 1],
      ['c', 2],
      ['a', 5],
      ['b', 0],
      ['c', 4],
    ] as const;
    for (const [camera, later] of order) await stage.written({ camera, capturedAt: AT + later });
    assert.deepEqual(
      (await waitingIn(stage.spool)).map(({ camera, capturedAt }) => `${camera}${capturedAt - AT}`),
      ['b0', 'a1', 'c2', 'b3', 'c4', 'a5'],
    );
  });

  it('lists only names of its own', async () => {
    const frame = await stage.written();
    const folder = path.join(stage.dir, 'gate');
    await writeFile(path.join(stage.dir, spoolName(frame)), 'a file where folders are');
    await writeFile(path.join(folder, `.${spoolName(frame)}.tmp`), 'half');
    await writeFile(path.join(folder, 'notes.txt'), '');
    await mkdir(path.join(folder, 'damaged'));
    await writeFile(path.join(folder, 'damaged', spoolName(frame)), '');
    assert.deepEqual(await waitingIn(stage.spool), [frame]);
  });

  it('does not list a folder that is not a camera', async () => {
    await mkdir(path.join(stage.dir, 'not a camera'), { recursive: true });
    await writeFile(path.join(stage.dir, 'not a camera', spoolName(frameOf())), 'jpeg');
    assert.deepEqual(await waitingIn(stage.spool), []);
  });

  it('that is not there yet is empty', async () => {
    assert.deepEqual(await waitingIn(stage.spool), []);
    assert.equal(await stage.spool.read(frameOf()), undefined);
    await stage.spool.remove(frameOf());
  });
});
