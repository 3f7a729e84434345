/** How the spool handles files that are damaged, unreadable, half-written or unused. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import fs, { mkdir, readdir, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { Fault } from '../../../src/fault/fault';
import { spoolName } from '../../../src/spool/names';
import { HALF_WRITTEN_MS, UNUSED_MS } from '../../../src/spool/leftovers';
import { Spool } from '../../../src/spool/spool';
import { waitingIn } from '../../../lab/delivery-bench';
import { frameOf, AT } from './frames';
import { SpoolStage } from './spool-stage';

describe('the spool', () => {
  const stage = SpoolStage.inSuite();

  it('removes what a crash left half-written when a camera is opened, and nothing else', async () => {
    const frame = await stage.written();
    const folder = path.join(stage.dir, 'gate');
    await writeFile(path.join(folder, '.1700000000999-1-1x1-9.jpg.tmp'), 'half');
    await writeFile(path.join(folder, '.hidden'), '');
    await writeFile(path.join(folder, 'notes.tmp'), '');
    await stage.spool.openCamera('gate');
    assert.deepEqual((await readdir(folder)).sort(), ['.hidden', spoolName(frame), 'notes.tmp']);
  });

  it('leaves the leftovers of other cameras alone', async () => {
    await mkdir(path.join(stage.dir, 'yard'), { recursive: true });
    await writeFile(path.join(stage.dir, 'yard', '.a.tmp'), '');
    await stage.spool.openCamera('gate');
    assert.deepEqual(await readdir(path.join(stage.dir, 'yard')), ['.a.tmp']);
  });

  for (const [what, bytes] of [
    ['too short', 'jpe'],
    ['empty', ''],
    ['too long', 'jpeg!'],
  ] as const)
    it(`refuses a file that is ${what}`, async () => {
      const frame = await stage.written();
      await writeFile(stage.pathOf(frame), bytes);
      await assert.rejects(stage.spool.read(frame), (error) => {
        assert.ok(error instanceof Fault);
        assert.equal(error.code, 'damaged-frame');
        assert.equal(
          error.message,
          `camera gate: ${spoolName(frame)} in the spool has ${bytes.length} bytes and is set aside`,
        );
        return true;
      });
    });

  for (const code of ['EMFILE', 'ENOMEM', 'EACCES', 'EPERM', 'EIO', 'ESTALE', 'ETIMEDOUT', 'ELOOP'])
    it(`does not call a file damaged that cannot be opened (${code})`, async (t) => {
      const frame = await stage.written();
      t.mock.method(fs, 'open', () => Promise.reject(Object.assign(new Error(code), { code })));
      await assert.rejects(stage.spool.read(frame), { code: 'spool-read', message: new RegExp(code) });
    });

  it('does not call a file damaged whose disk fails while it is read', async (t) => {
    const frame = await stage.written();
    const handle = await fs.open(stage.pathOf(frame));
    t.mock.method(handle, 'read', () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })));
    t.mock.method(fs, 'open', () => Promise.resolve(handle));
    await assert.rejects(stage.spool.read(frame), { code: 'spool-read', message: /EIO/ });
    assert.equal(handle.fd, -1, 'it is closed');
  });

  it('does not read a file of another size, however large it is', async () => {
    const frame = await stage.written();
    await truncate(stage.pathOf(frame), 2 ** 40);
    await assert.rejects(stage.spool.read(frame), {
      code: 'damaged-frame',
      message: /has 1099511627776 bytes/,
    });
  });

  describe('what is no longer used', () => {
    let nowMs = 0;
    let watched: Spool;
    /** Looks at all of it, as the store does again and again. */
    const look = async (afterMs: number) => {
      nowMs += afterMs;
      await waitingIn(watched);
      await watched.removeLeftovers();
    };
    /** As it is after a clock was set: an hour old, or an hour in the future. */
    const setTime = async (byMs: number, ...parts: string[]) => {
      const time = new Date(Date.now() + byMs);
      await utimes(path.join(stage.dir, ...parts), time, time);
    };
    const HOUR_MS = 3_600_000;

    beforeEach(() => {
      nowMs = 1000;
      watched = new Spool(stage.dir, undefined, undefined, () => nowMs);
    });

    it('is removed if it was left half-written, but not if it is still being written, whatever its time', async () => {
      const frame = await stage.written({ camera: 'removed' });
      const [old, young] = ['.1700000000999-1-1x1-9.jpg.tmp', '.1700000001999-1-1x1-9.jpg.tmp'];
      const folder = path.join(stage.dir, 'removed');
      for (const name of [old, young]) await writeFile(path.join(folder, name), 'half');
      await setTime(-HOUR_MS, 'removed', young);
      await look(0);
      await look(HALF_WRITTEN_MS - 1);
      assert.equal((await readdir(folder)).length, 3);
      await setTime(HOUR_MS, 'removed', young);
      await look(1);
      assert.deepEqual((await readdir(folder)).sort(), [young, spoolName(frame)].sort());
    });

    it('is removed if it is the empty folder of a camera that no longer writes, and no other', async () => {
      for (const camera of ['removed', 'durable', 'used', 'damaged'])
        await mkdir(path.join(stage.dir, camera), { recursive: true });
      await mkdir(path.join(stage.dir, 'durable', 'confirmed'));
      await mkdir(path.join(stage.dir, 'damaged', 'damaged'));
      await writeFile(path.join(stage.dir, 'damaged', 'damaged', 'kept for a person'), '');
      const frame = await stage.written();
      await setTime(-HOUR_MS, 'used');
      await look(0);
      await look(UNUSED_MS - 1);
      assert.equal((await readdir(stage.dir)).length, 5);
      await setTime(-2 * HOUR_MS, 'used');
      await look(1);
      assert.deepEqual((await readdir(stage.dir)).sort(), ['damaged', frame.camera, 'used'].sort());
      // A camera that comes back writes as before.
      const back = await stage.written({ camera: 'removed' });
      assert.ok(existsSync(stage.pathOf(back)));
    });
  });

  it('sets a damaged file aside, out of every list', async () => {
    const frame = await stage.written();
    await truncate(stage.pathOf(frame), 2);
    await stage.spool.setAside(frame);
    assert.deepEqual(await waitingIn(stage.spool), []);
    assert.deepEqual(await readdir(path.join(stage.dir, 'gate')), ['damaged']);
    assert.equal(readFileSync(path.join(stage.dir, 'gate', 'damaged', spoolName(frame)), 'utf8'), 'jp');
  });

  it('keeps the newest damaged files of a camera, and few', async () => {
    for (let i = 0; i < 7; i++) await stage.spool.setAside(await stage.written({ capturedAt: AT + i }));
    assert.deepEqual(
      (await readdir(path.join(stage.dir, 'gate', 'damaged'))).sort(),
      [3, 4, 5, 6].map((i) => spoolName(frameOf({ capturedAt: AT + i }))),
    );
  });

  it('sets aside twice, and files that have gone, without complaint', async () => {
    const frame = await stage.written();
    await stage.spool.setAside(frame);
    await stage.spool.setAside(frame);
    await stage.spool.setAside(await stage.written({ capturedAt: AT + 1 }));
    assert.equal((await readdir(path.join(stage.dir, 'gate', 'damaged'))).length, 2);
  });
});
