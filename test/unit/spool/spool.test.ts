/** The spool on a disk that works. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import fs, { mkdir, mkdtemp, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Frame } from '../../../src/contract/frame';
import { Fault } from '../../../src/fault/fault';
import { spoolName } from '../../../src/spool/names';
import { HALF_WRITTEN_MS, UNUSED_MS } from '../../../src/spool/leftovers';
import { Spool, type SpooledFrames } from '../../../src/spool/spool';
import { waitingIn } from '../../../lab/delivery-bench';
import { turn } from '../../../lab/until';
import { frameOf, AT } from './frames';

describe('the spool', () => {
  let dir: string;
  let spool: Spool;
  const pathOf = (frame: Frame): string => path.join(dir, frame.camera, spoolName(frame));

  beforeEach(async () => {
    dir = path.join(await mkdtemp(path.join(tmpdir(), 'vigil-spool-')), 'spool');
    spool = new Spool(dir);
  });
  afterEach(async () => {
    await rm(path.dirname(dir), { recursive: true });
  });

  async function listed(): Promise<SpooledFrames[]> {
    const all: SpooledFrames[] = [];
    for await (const frames of spool.list()) all.push(frames);
    return all;
  }

  async function written(changes: Partial<Frame> = {}, bytes = Buffer.from('jpeg')): Promise<Frame> {
    const frame = frameOf(changes);
    await spool.openCamera(frame.camera);
    await spool.write(frame, bytes);
    return frame;
  }

  it('gives back what was written', async () => {
    const frame = await written();
    assert.deepEqual(await spool.read(frame), Buffer.from('jpeg'));
    assert.deepEqual(await waitingIn(spool), [frame]);
    assert.deepEqual(await readdir(path.join(dir, 'gate')), [spoolName(frame)]);
  });

  it('is for its owner alone', async () => {
    const frame = await written();
    assert.equal(statSync(pathOf(frame)).mode & 0o777, 0o600);
    assert.equal(statSync(path.join(dir, 'gate')).mode & 0o777, 0o700);
  });

  it('shows a file under its name only when it is whole', async () => {
    const bytes = Buffer.alloc(48 * 1024 * 1024, 7);
    const frame = frameOf({ bytes: bytes.length });
    await spool.openCamera('gate');
    const state = { done: false };
    const writing = spool.write(frame, bytes).finally(() => {
      state.done = true;
    });
    let looks = 0;
    while (!state.done) {
      for (const listed of await waitingIn(spool)) assert.equal(statSync(pathOf(listed)).size, bytes.length);
      if (existsSync(pathOf(frame))) assert.equal(statSync(pathOf(frame)).size, bytes.length);
      looks++;
      await turn();
    }
    await writing;
    assert.ok(looks > 3, `looked ${looks} times`);
    assert.equal(statSync(pathOf(frame)).size, bytes.length);
  });

  it('replaces a file at once: who reads the old one reads all of it', async () => {
    const frame = await written();
    const old = openSync(pathOf(frame), 'r');
    try {
      await spool.write(frame, Buffer.from('JPEG'));
      assert.equal(readFileSync(old, 'utf8'), 'jpeg');
      assert.equal(readFileSync(pathOf(frame), 'utf8'), 'JPEG');
    } finally {
      closeSync(old);
    }
  });

  it('makes the folder that somebody removed', async () => {
    const frame = await written();
    await rm(path.join(dir, 'gate'), { recursive: true });
    assert.equal(await spool.write(frame, Buffer.from('jpeg')), undefined);
    assert.deepEqual(await waitingIn(spool), [frame]);
  });

  it('keeps many frames written at once', async () => {
    await spool.openCamera('gate');
    const frames = Array.from({ length: 50 }, (_, i) => frameOf({ capturedAt: AT + i }));
    await Promise.all(frames.map((frame) => spool.write(frame, Buffer.from('jpeg'))));
    assert.deepEqual(await waitingIn(spool), frames);
  });

  it('removes what a crash left half-written when a camera is opened, and nothing else', async () => {
    const frame = await written();
    const folder = path.join(dir, 'gate');
    await writeFile(path.join(folder, '.1700000000999-1-1x1-9.jpg.tmp'), 'half');
    await writeFile(path.join(folder, '.hidden'), '');
    await writeFile(path.join(folder, 'notes.tmp'), '');
    await spool.openCamera('gate');
    assert.deepEqual((await readdir(folder)).sort(), ['.hidden', spoolName(frame), 'notes.tmp']);
  });

  it('leaves the leftovers of other cameras alone', async () => {
    await mkdir(path.join(dir, 'yard'), { recursive: true });
    await writeFile(path.join(dir, 'yard', '.a.tmp'), '');
    await spool.openCamera('gate');
    assert.deepEqual(await readdir(path.join(dir, 'yard')), ['.a.tmp']);
  });

  for (const [what, bytes] of [
    ['too short', 'jpe'],
    ['empty', ''],
    ['too long', 'jpeg!'],
  ] as const)
    it(`refuses a file that is ${what}`, async () => {
      const frame = await written();
      await writeFile(pathOf(frame), bytes);
      await assert.rejects(spool.read(frame), (error) => {
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
      const frame = await written();
      t.mock.method(fs, 'open', () => Promise.reject(Object.assign(new Error(code), { code })));
      await assert.rejects(spool.read(frame), { code: 'spool-read', message: new RegExp(code) });
    });

  it('does not call a file damaged whose disk fails while it is read', async (t) => {
    const frame = await written();
    const handle = await fs.open(pathOf(frame));
    t.mock.method(handle, 'read', () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })));
    t.mock.method(fs, 'open', () => Promise.resolve(handle));
    await assert.rejects(spool.read(frame), { code: 'spool-read', message: /EIO/ });
    assert.equal(handle.fd, -1, 'it is closed');
  });

  it('does not read a file of another size, however large it is', async () => {
    const frame = await written();
    await truncate(pathOf(frame), 2 ** 40);
    await assert.rejects(spool.read(frame), { code: 'damaged-frame', message: /has 1099511627776 bytes/ });
  });

  it('lists all that it can, then says what it could not', async (t) => {
    const frames = [
      await written({ camera: 'a' }),
      await written({ camera: 'b' }),
      await written({ camera: 'c' }),
    ];
    const { readdir: read } = fs;
    t.mock.method(fs, 'readdir', async (folder: string, options: { withFileTypes: true }) => {
      if (folder.endsWith('/b')) throw Object.assign(new Error('EACCES: b'), { code: 'EACCES' });
      return read(folder, options);
    });
    const found: Frame[] = [];
    const listing = async () => {
      for await (const { waiting } of spool.list()) found.push(...waiting);
    };
    await assert.rejects(listing, { code: 'spool-read', message: /EACCES: b/ });
    assert.deepEqual(found, [frames[0], frames[2]]);
  });

  describe('what nobody uses any more', () => {
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
      await utimes(path.join(dir, ...parts), time, time);
    };
    const HOUR_MS = 3_600_000;

    beforeEach(() => {
      nowMs = 1000;
      watched = new Spool(dir, undefined, undefined, () => nowMs);
    });

    it('goes when it was left half-written, and not what is still written, whatever its time says', async () => {
      const frame = await written({ camera: 'removed' });
      const [old, young] = ['.1700000000999-1-1x1-9.jpg.tmp', '.1700000001999-1-1x1-9.jpg.tmp'];
      const folder = path.join(dir, 'removed');
      for (const name of [old, young]) await writeFile(path.join(folder, name), 'half');
      await setTime(-HOUR_MS, 'removed', young);
      await look(0);
      await look(HALF_WRITTEN_MS - 1);
      assert.equal((await readdir(folder)).length, 3);
      await setTime(HOUR_MS, 'removed', young);
      await look(1);
      assert.deepEqual((await readdir(folder)).sort(), [young, spoolName(frame)].sort());
    });

    it('goes when it is the empty folder of a camera that writes no more, and no other', async () => {
      for (const camera of ['removed', 'durable', 'used', 'damaged'])
        await mkdir(path.join(dir, camera), { recursive: true });
      await mkdir(path.join(dir, 'durable', 'confirmed'));
      await mkdir(path.join(dir, 'damaged', 'damaged'));
      await writeFile(path.join(dir, 'damaged', 'damaged', 'kept for a person'), '');
      const frame = await written();
      await setTime(-HOUR_MS, 'used');
      await look(0);
      await look(UNUSED_MS - 1);
      assert.equal((await readdir(dir)).length, 5);
      await setTime(-2 * HOUR_MS, 'used');
      await look(1);
      assert.deepEqual((await readdir(dir)).sort(), ['damaged', frame.camera, 'used'].sort());
      // A camera that comes back writes as before.
      const back = await written({ camera: 'removed' });
      assert.ok(existsSync(pathOf(back)));
    });
  });

  it('sets a damaged file aside, out of every list', async () => {
    const frame = await written();
    await truncate(pathOf(frame), 2);
    await spool.setAside(frame);
    assert.deepEqual(await waitingIn(spool), []);
    assert.deepEqual(await readdir(path.join(dir, 'gate')), ['damaged']);
    assert.equal(readFileSync(path.join(dir, 'gate', 'damaged', spoolName(frame)), 'utf8'), 'jp');
  });

  it('keeps the newest damaged files of a camera, and few', async () => {
    for (let i = 0; i < 7; i++) await spool.setAside(await written({ capturedAt: AT + i }));
    assert.deepEqual(
      (await readdir(path.join(dir, 'gate', 'damaged'))).sort(),
      [3, 4, 5, 6].map((i) => spoolName(frameOf({ capturedAt: AT + i }))),
    );
  });

  it('keeps a confirmed frame apart until it is removed', async () => {
    const frame = await written();
    await spool.confirm(frame);
    assert.deepEqual(await waitingIn(spool), []);
    assert.equal(await spool.read(frame), undefined);
    assert.deepEqual(await spool.readConfirmed(frame), Buffer.from('jpeg'));
    assert.deepEqual(await listed(), [{ waiting: [], confirmed: [frame] }]);
    await spool.removeConfirmed(frame);
    assert.deepEqual(await listed(), [{ waiting: [], confirmed: [] }]);
  });

  it('sets aside twice, and what has gone, without complaint', async () => {
    const frame = await written();
    await spool.setAside(frame);
    await spool.setAside(frame);
    await spool.setAside(await written({ capturedAt: AT + 1 }));
    assert.equal((await readdir(path.join(dir, 'gate', 'damaged'))).length, 2);
  });

  it('removes a frame, and one that has gone', async () => {
    const [frame, other] = [await written(), await written({ capturedAt: AT + 1 })];
    await spool.remove(frame);
    await spool.remove(frame);
    assert.equal(await spool.read(frame), undefined);
    assert.deepEqual(await waitingIn(spool), [other]);
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
    for (const [camera, later] of order) await written({ camera, capturedAt: AT + later });
    assert.deepEqual(
      (await waitingIn(spool)).map(({ camera, capturedAt }) => `${camera}${capturedAt - AT}`),
      ['b0', 'a1', 'c2', 'b3', 'c4', 'a5'],
    );
  });

  it('lists no name that is not its own', async () => {
    const frame = await written();
    const folder = path.join(dir, 'gate');
    await writeFile(path.join(dir, spoolName(frame)), 'a file where folders are');
    await writeFile(path.join(folder, `.${spoolName(frame)}.tmp`), 'half');
    await writeFile(path.join(folder, 'notes.txt'), '');
    await mkdir(path.join(folder, 'damaged'));
    await writeFile(path.join(folder, 'damaged', spoolName(frame)), '');
    assert.deepEqual(await waitingIn(spool), [frame]);
  });

  it('lists no folder that is no camera', async () => {
    await mkdir(path.join(dir, 'not a camera'), { recursive: true });
    await writeFile(path.join(dir, 'not a camera', spoolName(frameOf())), 'jpeg');
    assert.deepEqual(await waitingIn(spool), []);
  });

  it('that is not there yet is empty', async () => {
    assert.deepEqual(await waitingIn(spool), []);
    assert.equal(await spool.read(frameOf()), undefined);
    await spool.remove(frameOf());
  });
});
