/** The newest picture of a camera stays when its frame has left the spool, and is removed with the camera. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { Frame } from '../../../src/contract/frame';
import { keepNewestOf, NewestLink, newestDirOf, newestFrame, readNewest } from '../../../src/spool/newest';
import { Spool } from '../../../src/spool/spool';

const dirs: string[] = [];
const newDir = () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-newest-'));
  dirs.push(dir);
  return dir;
};
after(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

const bytesOf = (sequence: number) => Buffer.from(`picture ${sequence}`.padEnd(20));
const frameOf = (sequence: number): Frame => ({
  ...{
    camera: 'gate',
    capturedAt: 1_700_000_000_000 + sequence,
    sequence,
    width: 8,
    height: 8,
    format: 'jpeg',
  },
  bytes: 20,
});

async function spooled() {
  const spoolDir = path.join(newDir(), 'spool');
  mkdirSync(spoolDir);
  const dir = newestDirOf(spoolDir);
  assert.equal(dir, path.join(path.dirname(spoolDir), 'newest'));
  const spool = new Spool(spoolDir, path.join(spoolDir, 'none'));
  const newest = new NewestLink(dir, spoolDir, 'gate');
  await spool.openCamera('gate');
  await newest.open();
  const write = async (sequence: number) => {
    await spool.write(frameOf(sequence), bytesOf(sequence));
    await newest.set(frameOf(sequence));
  };
  const files = () => readdirSync(path.join(dir, 'gate'));
  return { dir, spoolDir, spool, newest, write, files };
}

describe('the newest picture', () => {
  it('is there after the store has removed its frame, without a copy', async () => {
    const { dir, spool, write, files } = await spooled();
    await write(1);
    const [name = ''] = files();
    assert.equal(statSync(path.join(dir, 'gate', name)).nlink, 2);
    await spool.remove(frameOf(1));
    const found = await readNewest(dir, 'gate');
    assert.deepEqual([found?.frame.sequence, found?.bytes], [1, bytesOf(1)]);
  });

  it('is one file, the last that was written', async () => {
    const { dir, write, files } = await spooled();
    for (let sequence = 1; sequence <= 20; sequence++) await write(sequence);
    assert.equal(files().length, 1);
    assert.equal((await newestFrame(dir, 'gate'))?.sequence, 20);
  });

  it('is never missing or half-written while it is replaced', async () => {
    const { dir, write } = await spooled();
    await write(1);
    let [isOver, looks] = [false, 0];
    const looking = (async () => {
      while (!isOver) {
        const found = await readNewest(dir, 'gate');
        assert.deepEqual(found?.bytes, bytesOf(found?.frame.sequence ?? 0));
        looks++;
      }
    })();
    for (let sequence = 2; sequence <= 200; sequence++) await write(sequence);
    isOver = true;
    await looking;
    assert.ok(looks > 0);
  });

  it('of a process that was killed is replaced by that of the next', async () => {
    const { dir, spoolDir, write, files, spool } = await spooled();
    await write(1);
    const next = new NewestLink(dir, spoolDir, 'gate');
    await next.open();
    assert.equal((await newestFrame(dir, 'gate'))?.sequence, 1);
    await spool.write(frameOf(2), bytesOf(2));
    await next.set(frameOf(2));
    assert.deepEqual([files().length, (await newestFrame(dir, 'gate'))?.sequence], [1, 2]);
  });

  it('is not a waiting frame: the store does not find it', async () => {
    const { spool, write } = await spooled();
    await write(1);
    await spool.remove(frameOf(1));
    const listed: Frame[] = [];
    for await (const { waiting, confirmed } of spool.list()) listed.push(...waiting, ...confirmed);
    assert.deepEqual(listed, []);
  });

  it('is removed with its camera', async () => {
    const { dir, write } = await spooled();
    await write(1);
    await keepNewestOf(dir, new Set(['gate', 'yard']));
    assert.deepEqual(readdirSync(dir), ['gate']);
    await keepNewestOf(dir, new Set(['yard']));
    assert.deepEqual(readdirSync(dir), []);
    await keepNewestOf(path.join(dir, 'none'), new Set());
    await write(2);
    assert.equal((await newestFrame(dir, 'gate'))?.sequence, 2);
  });

  it('is not a fault of the camera if it cannot be kept', async () => {
    const { dir, newest } = await spooled();
    await newest.set(frameOf(7));
    assert.equal(await newestFrame(dir, 'gate'), undefined);
    assert.equal(await newestFrame(dir, 'other'), undefined);
  });

  it('is not read if another user may have put it there', async () => {
    const { dir, write } = await spooled();
    await write(1);
    chmodSync(path.join(dir, 'gate'), 0o777);
    await assert.rejects(readNewest(dir, 'gate'), { code: 'spool-foreign' });
  });
});
