/** The files in which frames are saved. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { writeFrame } from '../../src/consumer';
import { temporaryFolder } from '../../lab/consumer-stage';

const run = promisify(execFile);

/** Runs the rest of a test in another time zone. */
function inTimeZone(t: TestContext, zone: string): void {
  const before = process.env['TZ'];
  process.env['TZ'] = zone;
  t.after(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });
}

describe('writeFrame', () => {
  const format = 'jpeg';
  const save = (out: string, capturedAt: number, content = String(capturedAt), camera = 'gate') =>
    writeFrame(out, { camera, capturedAt, format }, Buffer.from(content));

  const zones = [
    { zone: 'UTC', name: 'frame_01_02_2024-23_04_05.jpg' },
    { zone: 'Asia/Kolkata', name: 'frame_01_03_2024-04_34_05.jpg' },
    { zone: 'America/New_York', name: 'frame_01_02_2024-18_04_05.jpg' },
  ];
  for (const { zone, name } of zones)
    it(`names a file by the local time of its capture, ${name} in ${zone}, and dates it so`, async (t) => {
      inTimeZone(t, zone);
      const out = await temporaryFolder(t);
      const file = await save(out, Date.parse('2024-01-02T23:04:05.678Z'));
      assert.equal(file, path.join(out, 'gate', name));
      assert.equal((await stat(file)).mtime.toISOString(), '2024-01-02T23:04:05.678Z');
    });

  it('names files like strftime("%m_%d_%Y-%H_%M_%S") of the Python original', async (t) => {
    inTimeZone(t, 'Europe/Berlin');
    const out = await temporaryFolder(t);
    const script =
      'import time; print(time.strftime("frame_%m_%d_%Y-%H_%M_%S.jpg", time.localtime(1711846799)))';
    const { stdout } = await run('/usr/bin/python3', ['-c', script]);
    assert.equal(path.basename(await save(out, 1_711_846_799_999)), stdout.trim());
  });

  it('appends milliseconds for further frames of a second, and lets a repeated frame replace its own file', async (t) => {
    inTimeZone(t, 'UTC');
    const out = await temporaryFolder(t);
    const second = Date.parse('2024-01-02T03:04:05Z');
    for (const round of ['first', 'again'])
      for (const ms of [7, 500, 42]) await save(out, second + ms, `${round} ${ms}`);
    const stem = 'frame_01_02_2024-03_04_05';
    const contents: Record<string, string> = {};
    for (const name of await readdir(path.join(out, 'gate')))
      contents[name] = await readFile(path.join(out, 'gate', name), 'utf8');
    assert.deepEqual(contents, {
      [`${stem}.jpg`]: 'again 7',
      [`${stem}_042.jpg`]: 'again 42',
      [`${stem}_500.jpg`]: 'again 500',
    });
  });

  it('loses no frame of the hour that clocks repeat, nor of two such seconds with the same milliseconds', async (t) => {
    inTimeZone(t, 'America/New_York');
    const out = await temporaryFolder(t);
    const first = Date.parse('2024-11-03T05:30:00.250Z');
    const hour = 3_600_000;
    const files = [await save(out, first), await save(out, first + hour), await save(out, first + hour + 1)];
    files.push(await save(out, first + 1), await save(out, first + hour), await save(out, first));
    assert.equal(new Set(files).size, 4);
    assert.equal(path.basename(files[1] ?? ''), 'frame_11_03_2024-01_30_00_250.jpg');
    assert.equal(await readFile(files[1] ?? '', 'utf8'), String(first + hour));
    assert.equal((await readdir(path.join(out, 'gate'))).length, 4);
  });

  it('loses no frame of a second when they are written at the same time', async (t) => {
    const out = await temporaryFolder(t);
    const times = Array.from({ length: 20 }, (_, i) => 1_700_000_000_000 + i * 50);
    const files = await Promise.all(times.map((time) => save(out, time)));
    assert.equal(new Set(files).size, 20);
    for (const [i, file] of files.entries()) assert.equal(await readFile(file, 'utf8'), String(times[i]));
  });

  it('refuses a camera that is a path', async (t) => {
    const out = await temporaryFolder(t);
    await assert.rejects(save(out, 1, 'x', '../elsewhere'), { code: 'output-failed' });
    assert.deepEqual(await readdir(out), []);
  });
});
