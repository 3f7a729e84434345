/** The spool on a disk that takes nothing, or has little room. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import fs, { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Frame } from '../../../src/contract/frame';
import { FreeSpace } from '../../../src/spool/free-space';
import { MemoryFolder, memoryFolderOf } from '../../../src/spool/memory-folder';
import { spoolName } from '../../../src/spool/names';
import { Spool } from '../../../src/spool/spool';
import { waitUntil } from '../../../lab/process';
import { waitingIn } from '../../../lab/delivery-bench';
import { frameOf, AT } from './frames';

describe('a spool whose disk takes nothing', () => {
  let dir: string;
  let memory: string;

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vigil-spool-'));
    memory = path.join(dir, 'memory');
    // Where the camera's folder should be: no file can be put into that, not even by root.
    await mkdir(path.join(dir, 'disk'));
    await writeFile(path.join(dir, 'disk', 'gate'), '');
  });

  afterEach(async () => {
    await rm(dir, { recursive: true });
  });

  it('keeps frames in memory, says why, and treats them as its own', async () => {
    const spool = new Spool(path.join(dir, 'disk'), memory);
    const frame = frameOf();
    await spool.openCamera('gate');
    const fault = await spool.write(frame, Buffer.from('jpeg'));
    assert.equal(fault?.code, 'spool-disk');
    assert.match(
      fault.message,
      /cannot write to the spool \(.*gate is not a folder\); buffering in memory, 64 MiB at most/,
    );
    assert.deepEqual(await readdir(memory), [`gate.${spoolName(frame)}`]);
    assert.equal(statSync(memory).mode & 0o777, 0o700);
    assert.deepEqual(await new Spool(path.join(dir, 'disk'), memory).read(frame), Buffer.from('jpeg'));
    assert.deepEqual(await waitingIn(spool), [frame]);
    await spool.remove(frame);
    await spool.close();
    assert.equal(existsSync(memory), false);
  });

  it('keeps a frame whose half-written file was removed by another process', async (t) => {
    const disk = path.join(dir, 'other');
    const spool = new Spool(disk, memory);
    const { rename } = fs;
    t.mock.method(fs, 'rename', async (from: string, to: string) => {
      if (from.startsWith(disk)) await rm(from);
      return rename(from, to);
    });
    assert.equal((await spool.write(frameOf(), Buffer.from('jpeg')))?.code, 'spool-disk');
    assert.deepEqual(await waitingIn(spool), [frameOf()]);
  });

  it('finds its memory through any link to it', async () => {
    const disk = path.join(dir, 'disk');
    await symlink(disk, path.join(dir, 'link'));
    await symlink(dir, path.join(dir, 'disk', 'back'));
    for (const other of ['link', 'link/', 'disk/../link', 'disk/back/disk', './link/.'])
      assert.equal(memoryFolderOf(path.join(dir, other)), memoryFolderOf(disk), other);
    assert.notEqual(memoryFolderOf(path.join(dir, 'link/deeper')), memoryFolderOf(disk));
    assert.equal(memoryFolderOf(path.join(dir, 'link/deeper')), memoryFolderOf(path.join(disk, 'deeper')));
  });

  it('has a place in memory for a user who is a number without a name', (t) => {
    t.mock.method(process as { geteuid: () => number }, 'geteuid', () => 4711);
    assert.match(memoryFolderOf(dir) ?? '', /^\/dev\/shm\/vigil-4711-[0-9a-f]{16}$/);
  });

  it('takes no more into memory than its limit, then refuses', async () => {
    const spool = new Spool(path.join(dir, 'disk'), memory);
    const bytes = Buffer.alloc(30 * 1024 * 1024);
    for (const i of [0, 1]) await spool.write(frameOf({ capturedAt: AT + i, bytes: bytes.length }), bytes);
    await assert.rejects(spool.write(frameOf({ capturedAt: AT + 2, bytes: bytes.length }), bytes), {
      code: 'spool-full',
    });
    assert.equal((await waitingIn(spool)).length, 2);
  });

  it('notices before long that there is space again', async () => {
    const folder = new MemoryFolder(memory, 8192);
    const [first, second] = [
      frameOf({ capturedAt: AT, bytes: 4097 }),
      frameOf({ capturedAt: AT + 1, bytes: 1 }),
    ];
    await folder.write(first, Buffer.alloc(4097));
    await assert.rejects(folder.write(second, Buffer.alloc(1)), { code: 'spool-full' });
    await new MemoryFolder(memory).remove(first, true);
    await waitUntil('the second is taken', () =>
      folder.write(second, Buffer.alloc(1)).then(
        () => true,
        () => false,
      ),
    );
  });

  it('does not count the frames held with each one that comes', async () => {
    let counted = 0;
    class Counted extends MemoryFolder {
      override async list(): Promise<Frame[]> {
        counted++;
        return super.list();
      }
    }
    const folder = new Counted(memory);
    const endMs = performance.now() + 500;
    let written = 0;
    for (; written < 100 && performance.now() < endMs; written++)
      await folder.write(frameOf({ capturedAt: AT + written, bytes: 1 }), Buffer.alloc(1));
    assert.ok(counted <= 2, `${counted} times for ${written} frames`);
  });

  it('removes what a crash left half-written of that camera in memory', async () => {
    const spool = new Spool(path.join(dir, 'disk'), memory);
    await spool.write(frameOf(), Buffer.from('jpeg'));
    await writeFile(path.join(memory, '.gate.1.tmp'), 'half');
    await writeFile(path.join(memory, '.yard.1.tmp'), 'half');
    await spool.openCamera('gate');
    assert.deepEqual((await readdir(memory)).sort(), ['.yard.1.tmp', `gate.${spoolName(frameOf())}`]);
  });
});

describe('a spool whose disk has little room', () => {
  /** More than any disk has. */
  const MUCH = Number.MAX_SAFE_INTEGER;
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vigil-spool-'));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true });
  });

  it('writes nothing more to it, but to memory, and says why', async () => {
    const spool = new Spool(path.join(dir, 'disk'), path.join(dir, 'memory'), () => MUCH);
    await spool.openCamera('gate');
    assert.deepEqual(await spool.write(frameOf(), Buffer.from('jpeg')), {
      code: 'spool-low',
      message: `cannot write to the spool (the disk has less than spool.minFreeBytes (${MUCH}) left); buffering in memory, 64 MiB at most`,
    });
    assert.deepEqual(await readdir(path.join(dir, 'disk', 'gate')), []);
    assert.deepEqual(await waitingIn(spool), [frameOf()]);
  });

  it('reports what both lack if memory has no space either', async () => {
    const spool = new Spool(path.join(dir, 'disk'), path.join(dir, 'no such folder', 'memory'), () => MUCH);
    await spool.openCamera('gate');
    await assert.rejects(spool.write(frameOf(), Buffer.from('jpeg')), {
      code: 'spool-full',
      message: /^cannot write to the spool \(the disk has less .*\) or to memory \(ENOENT\)$/,
    });
  });

  it('is written to again when there is slightly more space than it must leave', async (t) => {
    let bavail = 99;
    t.mock.method(fs, 'statfs', () => Promise.resolve({ bavail, blocks: 1000, bsize: 1 }));
    let nowMs = 0;
    const space = new FreeSpace(
      dir,
      () => 100,
      () => (nowMs += 5000),
    );
    const low: boolean[] = [];
    for (bavail of [100, 99, 100, 104, 105, 100, 99]) low.push(await space.isLow());
    assert.deepEqual(low, [false, true, true, true, false, false, true]);
  });

  it('is checked every five seconds while it has space, and every time while it has none', async (t) => {
    let [nowMs, bavail] = [0, 100];
    const statfs = t.mock.method(fs, 'statfs', () => Promise.resolve({ bavail, blocks: 1000, bsize: 1 }));
    const space = new FreeSpace(
      dir,
      () => 100,
      () => nowMs,
    );
    for (nowMs of [0, 1000, 4999]) assert.equal(await space.isLow(), false);
    assert.equal(statfs.mock.callCount(), 1);
    bavail = 0;
    for (nowMs of [5000, 5001, 5002]) assert.equal(await space.isLow(), true);
    assert.equal(statfs.mock.callCount(), 4);
  });

  for (const [what, statfs] of [
    ['counts nothing', async () => Promise.resolve({ bavail: 0, blocks: 0, bsize: 4096 })],
    ['does not answer', async () => Promise.reject(new Error('EIO'))],
  ] as const)
    it(`is written to when it ${what}`, async (t) => {
      t.mock.method(fs, 'statfs', statfs);
      assert.equal(await new FreeSpace(dir, () => MUCH).isLow(), false);
    });
});
