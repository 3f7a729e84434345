/** The spool, on real folders: names that sort, writes that are whole or absent, damage that is noticed. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import fs, { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FRAME_FORMATS, type Frame } from '../../src/contract/frame';
import { Fault } from '../../src/protocol/fault';
import { parseSpoolName, spoolName } from '../../src/spool/names';
import { Spool } from '../../src/spool/spool';
import { seededRandom } from './support/random';
import { turn } from './support/until';

const AT = 1_700_000_000_123;

function frameOf(changes: Partial<Frame> = {}): Frame {
  return {
    camera: 'gate',
    capturedAt: AT,
    sequence: 1_700_000_000,
    width: 640,
    height: 360,
    format: 'jpeg',
    bytes: 4,
    ...changes,
  };
}

describe('a spool name', () => {
  it('holds all that is known of a frame but its camera', () => {
    assert.equal(spoolName(frameOf()), '1700000000123-1700000000-640x360-4.jpg');
  });

  it('is read back as it was written, for any frame', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < 2000; i++) {
      const frame = frameOf({
        capturedAt: random.between(0, 9_999_999_999_999),
        sequence: random.between(0, 49_999_999_999),
        width: random.between(1, 65_535),
        height: random.between(1, 65_535),
        format: random.pick(FRAME_FORMATS),
        bytes: random.between(1, 134_217_728),
      });
      assert.deepEqual(parseSpoolName('gate', spoolName(frame)), frame);
    }
  });

  it('sorts by capture time, whatever the other numbers are', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < 2000; i++) {
      const times = [random.between(0, 2e12), random.between(0, 2e12)].sort((a, b) => a - b);
      const [earlier = '', later = ''] = times.map((capturedAt) =>
        spoolName(frameOf({ capturedAt, sequence: random.between(0, 2e9), bytes: random.between(1, 1e6) })),
      );
      if (times[0] !== times[1]) assert.ok(earlier < later, `${earlier} < ${later}`);
    }
  });

  for (const name of [
    '',
    'damaged',
    'README',
    '.1700000000123-1700000000-640x360-4.jpg.tmp',
    '1700000000123-1700000000-640x360-4.jpg.tmp',
    '1700000000123-1700000000-640x360-4.jpeg',
    '1700000000123-1700000000-640x360-4.gif',
    '1700000000123-1700000000-640x360-4',
    '1700000000123-1700000000-640x360.jpg',
    '170000000012-1700000000-640x360-4.jpg',
    '17000000001234-1700000000-640x360-4.jpg',
    '1700000000123--640x360-4.jpg',
    '1700000000123-1700000000-640x360--4.jpg',
    '1700000000123-1700000000-640x360-4.jpg\n',
    ' 1700000000123-1700000000-640x360-4.jpg',
  ])
    it(`is not ${JSON.stringify(name)}`, () => {
      assert.equal(parseSpoolName('gate', name), undefined);
    });
});

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

  async function written(changes: Partial<Frame> = {}, bytes = Buffer.from('jpeg')): Promise<Frame> {
    const frame = frameOf(changes);
    await spool.openCamera(frame.camera);
    await spool.write(frame, bytes);
    return frame;
  }

  it('gives back what was written', async () => {
    const frame = await written();
    assert.deepEqual(await spool.read(frame), Buffer.from('jpeg'));
    assert.deepEqual(await spool.list(), [frame]);
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
      for (const listed of await spool.list()) assert.equal(statSync(pathOf(listed)).size, bytes.length);
      if (existsSync(pathOf(frame))) assert.equal(statSync(pathOf(frame)).size, bytes.length);
      looks++;
      await turn();
    }
    await writing;
    assert.ok(looks > 3, `looked ${String(looks)} times`);
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

  it('writes only into the folder of an opened camera', async () => {
    await assert.rejects(spool.write(frameOf(), Buffer.from('jpeg')), { code: 'ENOENT' });
  });

  it('keeps many frames written at once', async () => {
    await spool.openCamera('gate');
    const frames = Array.from({ length: 50 }, (_, i) => frameOf({ capturedAt: AT + i }));
    await Promise.all(frames.map((frame) => spool.write(frame, Buffer.from('jpeg'))));
    assert.deepEqual(await spool.list(), frames);
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
          `camera gate: ${spoolName(frame)} in the spool has ${String(bytes.length)} bytes and is set aside`,
        );
        return true;
      });
    });

  it('refuses what cannot be read as a file', async () => {
    const frame = await written();
    await spool.remove(frame);
    await mkdir(pathOf(frame));
    await assert.rejects(spool.read(frame), { code: 'damaged-frame', message: /cannot be read \(EISDIR\)/ });
    await spool.setAside(frame);
    assert.deepEqual(await spool.list(), []);
  });

  for (const code of ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'])
    it(`does not call a file damaged because of ${code}, which is of this process and this moment`, async (t) => {
      const frame = await written();
      t.mock.method(fs, 'readFile', () => Promise.reject(Object.assign(new Error(code), { code })));
      await assert.rejects(spool.read(frame), { code: 'spool-read', message: new RegExp(code) });
    });

  it('sets a damaged file aside, out of every list', async () => {
    const frame = await written();
    await truncate(pathOf(frame), 2);
    await spool.setAside(frame);
    assert.deepEqual(await spool.list(), []);
    assert.deepEqual(await readdir(path.join(dir, 'gate')), ['damaged']);
    assert.equal(readFileSync(path.join(dir, 'gate', 'damaged', spoolName(frame)), 'utf8'), 'jp');
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
    assert.deepEqual(await spool.list(), [other]);
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
      (await spool.list()).map(({ camera, capturedAt }) => `${camera}${String(capturedAt - AT)}`),
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
    assert.deepEqual(await spool.list(), [frame]);
  });

  it('lists no folder that is no camera', async () => {
    await mkdir(path.join(dir, 'not a camera'), { recursive: true });
    await writeFile(path.join(dir, 'not a camera', spoolName(frameOf())), 'jpeg');
    assert.deepEqual(await spool.list(), []);
  });

  it('that is not there yet is empty', async () => {
    assert.deepEqual(await spool.list(), []);
    assert.equal(await spool.read(frameOf()), undefined);
    await spool.remove(frameOf());
  });
});
