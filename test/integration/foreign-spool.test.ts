/** Files that other local users put into the spool's folders: never announced, never awaited, never a reason to stop. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Frame } from '../../src/contract/frame';
import { spoolName } from '../../src/spool/names';
import { Spool } from '../../src/spool/spool';
import { waitingIn } from '../../lab/delivery-bench';

const NOBODY = 65_534;
const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'only root can make files of other users' };
const frame: Frame = {
  ...{ camera: 'gate', capturedAt: 1_700_000_000_123, sequence: 1_700_000_000, width: 1, height: 1 },
  ...{ format: 'jpeg', bytes: 4 },
};
const later = { ...frame, capturedAt: frame.capturedAt + 1 };
const JPEG = Buffer.from('jpeg');

describe('a spool among other users', () => {
  let dir: string;
  let disk: string;
  let memory: string;
  let spool: Spool;
  const low = () => new Spool(disk, memory, () => Number.MAX_SAFE_INTEGER);
  const onDisk = () => path.join(disk, 'gate', spoolName(frame));
  const inMemory = () => path.join(memory, `gate.${spoolName(frame)}`);
  const folders = () => readdirSync(dir).filter((name) => name.startsWith('memory'));

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vigil-foreign-'));
    disk = path.join(dir, 'spool');
    memory = path.join(dir, 'memory');
    spool = new Spool(disk, memory);
    await spool.openCamera('gate');
  });
  afterEach(async () => {
    await rm(dir, { recursive: true });
  });

  /** Asserts that the file is neither listed nor read, and that nothing waits for it. */
  async function assertUnused(): Promise<void> {
    assert.deepEqual(await waitingIn(spool).catch(() => []), []);
    const read = await spool.read(frame).catch((error: unknown) => (error as { code: string }).code);
    assert.ok(read === undefined || read === 'spool-read', String(read));
  }

  /** Things that other users may have put in the place of the memory folder. */
  const FOUND_FIRST: readonly (readonly [string, () => void, object?])[] = [
    [
      'a folder of another user',
      () => {
        mkdirSync(memory);
        execFileSync('cp', ['/dev/null', inMemory()]);
        for (const file of [inMemory(), memory]) chownSync(file, NOBODY, NOBODY);
      },
      needsRoot,
    ],
    [
      'a folder that others can write to',
      () => {
        mkdirSync(memory);
        chmodSync(memory, 0o777);
      },
    ],
    ['a link to a folder of ours', () => execFileSync('ln', ['-s', path.join(disk, 'gate'), memory])],
    ['a file', () => execFileSync('cp', ['/dev/null', memory])],
    ['a pipe', () => execFileSync('mkfifo', [memory])],
    ['a link to nothing', () => execFileSync('ln', ['-s', path.join(dir, 'nothing'), memory])],
  ];
  for (const [what, make, options = {}] of FOUND_FIRST)
    it(`does not use ${what} as its memory; all processes use another folder`, options, async () => {
      make();
      if (statSync(memory, { throwIfNoEntry: false })?.isDirectory() === true)
        await writeFile(inMemory(), JPEG);
      await assertUnused();
      const [camera, store] = [low(), new Spool(disk, memory)];
      assert.equal((await camera.write(later, JPEG))?.code, 'spool-low');
      const name = folders().find((folder) => folder !== 'memory') ?? '';
      assert.match(name, /^memory\.[A-Za-z0-9]{6}$/);
      assert.equal(statSync(path.join(dir, name)).mode & 0o777, 0o700);
      assert.deepEqual(await waitingIn(store), [later]);
      assert.match(store.foreign.join(), /memory (belongs to|is open to|is not a folder)/);
      assert.deepEqual(await store.read(later), JPEG);
      assert.equal((await low().write(frame, JPEG))?.code, 'spool-low');
      assert.deepEqual(readdirSync(path.join(dir, name)).length, 2, 'another camera uses the same');
      for (const one of [frame, later]) await store.remove(one);
      await store.close();
      assert.deepEqual(folders(), ['memory'], 'it leaves what is not its own');
    });

  it('continues with both folders after the foreign one has disappeared', async () => {
    mkdirSync(memory);
    chmodSync(memory, 0o777);
    await low().write(frame, JPEG);
    rmSync(memory, { recursive: true });
    mkdirSync(memory, { mode: 0o700 });
    await writeFile(path.join(memory, `gate.${spoolName(later)}`), JPEG);
    assert.deepEqual(await waitingIn(spool), [frame, later]);
    assert.deepEqual(spool.foreign, []);
  });

  it('ignores names that only resemble its own', async () => {
    mkdirSync(memory);
    chmodSync(memory, 0o777);
    for (const name of ['memory.abc', 'memory.abcdefg', 'memory.abc\ndf', 'memoryabcdef', 'memory.'])
      mkdirSync(path.join(dir, name), { mode: 0o700 });
    await low().write(frame, JPEG);
    assert.equal(spool.foreign.length, 0, 'before it looks');
    assert.deepEqual(await waitingIn(spool), [frame]);
    assert.equal(spool.foreign.length, 1);
  });

  it('finds a frame in memory that is reported before it has read that folder', async () => {
    await spool.read(frame);
    await low().write(frame, JPEG);
    assert.deepEqual(await spool.read(frame), JPEG);
    const other = new Spool(disk, memory);
    await other.remove(frame);
    assert.equal(existsSync(inMemory()), false);
  });

  /** Things with the name of a frame, in a folder of our own. */
  const KINDS: readonly (readonly [string, (file: string) => void])[] = [
    ['a pipe', (file) => execFileSync('mkfifo', [file])],
    ['a link to a file of ours', (file) => execFileSync('ln', ['-s', path.join(dir, 'secret'), file])],
    ['a link to itself', (file) => execFileSync('ln', ['-s', file, file])],
    ['a folder', (file) => mkdirSync(file)],
    ['a device', (file) => execFileSync('ln', ['-s', '/dev/zero', file])],
  ];
  for (const [what, make] of KINDS)
    for (const [where, file] of [
      ['on disk', onDisk],
      ['in memory', inMemory],
    ] as const)
      it(`does not take ${what} ${where} for a frame`, async () => {
        await writeFile(path.join(dir, 'secret'), JPEG);
        mkdirSync(memory, { mode: 0o700 });
        make(file());
        await assertUnused();
      });

  it('does not take a file of another user for a frame, even in its own folder', needsRoot, async () => {
    for (const file of [onDisk(), inMemory()]) {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(file, JPEG, { mode: 0o644 });
      chownSync(file, NOBODY, NOBODY);
    }
    await assert.rejects(spool.read(frame), { code: 'spool-read', message: /it belongs to user 65534/ });
  });

  it('accepts no world-writable file as a frame until its mode is fixed', async () => {
    await spool.write(frame, JPEG);
    chmodSync(onDisk(), 0o666);
    await assert.rejects(spool.read(frame), {
      code: 'spool-read',
      message: /open to other users \(mode 666\)/,
    });
    chmodSync(onDisk(), 0o640);
    assert.deepEqual(await spool.read(frame), JPEG);
  });

  for (const [what, spoil] of [
    ['can be written to by all', () => chmodSync(path.join(disk, 'gate'), 0o777)],
    [
      'is a link',
      async () => {
        await rename(path.join(disk, 'gate'), path.join(dir, 'elsewhere'));
        await symlink(path.join(dir, 'elsewhere'), path.join(disk, 'gate'));
      },
    ],
  ] as const)
    it(`neither reads nor writes a camera's folder on disk that ${what}; frames go to memory`, async () => {
      await spool.write(frame, JPEG);
      await spoil();
      await assertUnused();
      const fault = await spool.write(later, JPEG);
      assert.equal(fault?.code, 'spool-disk');
      assert.match(fault.message, /gate (is open to other users|is not a folder)/);
      assert.deepEqual(await spool.read(later), JPEG);
      await spool.setAside(frame).catch(() => undefined);
      assert.equal(existsSync(path.join(disk, 'gate', 'damaged')), false, 'nothing is moved in it either');
    });

  it("neither reads nor writes a camera's folder on disk of another user", needsRoot, async () => {
    await writeFile(onDisk(), JPEG);
    for (const file of [onDisk(), path.dirname(onDisk())]) chownSync(file, NOBODY, NOBODY);
    await assertUnused();
    assert.match((await spool.write(later, JPEG))?.message ?? '', /gate belongs to user 65534, not to 0/);
  });

  it('lists nothing of a spool that another user has made', needsRoot, async () => {
    await spool.write(frame, JPEG);
    chownSync(disk, NOBODY, NOBODY);
    await assert.rejects(waitingIn(spool), { code: 'spool-read', message: /spool belongs to user 65534/ });
  });

  it('does not write into an existing file with the name of its temporary file', async () => {
    const secret = path.join(dir, 'secret');
    await writeFile(secret, 'secret');
    const temporary = path.join(disk, 'gate', `.${spoolName(frame)}.tmp`);
    for (const make of [() => symlink(secret, temporary), () => execFileSync('mkfifo', [temporary])]) {
      await make();
      assert.equal(await spool.write(frame, JPEG), undefined);
      assert.deepEqual(await spool.read(frame), JPEG);
    }
    assert.equal(statSync(secret).size, 6);
  });
});
