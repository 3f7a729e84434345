/** The commands of an operator at a terminal, against a daemon without its HTTP server: pictures. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { MAIN, newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { run, waitUntil } from '../../lab/process';

describe('at a terminal', () => {
  const namespace = newNamespace();
  const cameras = [
    { id: 'one', test: 'testsrc2', width: 320 },
    { id: 'off', test: 'testsrc2', enabled: false },
    { id: 'gone', url: 'rtsp://127.0.0.1:1/live' },
  ];
  const config = { namespace, ...remoteServers(), http: false, cameras };
  const dir = newDir();
  let events: Listener;
  let daemon: Daemon;
  const vigil = (...args: string[]) =>
    run(process.execPath, [MAIN, ...args, '--config', path.join(dir, 'actors.json')]);

  before(async () => {
    events = await listen(namespace);
    daemon = startDaemon({ config, dir });
    await events.gotFrames('one', 2);
  });
  after(async () => {
    await daemon.stop();
    await events.close();
  });

  test('snapshot saves the present picture of a camera, and says of when it is', async () => {
    const file = path.join(dir, 'one.jpg');
    const { code, stdout } = await vigil('snapshot', 'one', file, '--json');
    assert.equal(code, 0);
    const said = JSON.parse(stdout.toString()) as { file: string; capturedAt: number; bytes: number };
    assert.ok(Math.abs(Date.now() - said.capturedAt) < 10_000);
    const bytes = readFileSync(file);
    assert.deepEqual([said.file, said.bytes], [file, bytes.length]);
    const { format, width } = await sharp(bytes).metadata();
    assert.deepEqual([format, width], ['jpeg', 320]);
    assert.deepEqual(
      readdirSync(dir).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  test('snapshot writes the picture, and nothing else, to standard output', async () => {
    const { code, stdout } = await vigil('snapshot', 'one', '-');
    assert.equal(code, 0);
    const { format, height } = await sharp(stdout).metadata();
    assert.deepEqual([format, height], ['jpeg', 180]);
  });

  test('snapshot writes nothing where there is no present picture, and says why', async () => {
    const file = path.join(dir, 'none.jpg');
    for (const [id, code, why] of [
      ['gone', 69, /^vigil: there is no picture of gone: .*refuse.*\n$/],
      ['off', 69, /^vigil: there is no picture of off: it is disabled\n$/],
      ['nobody', 2, /^vigil: the configuration has no camera "nobody"\n$/],
    ] as const) {
      const ended = await vigil('snapshot', id, file);
      assert.equal(ended.code, code);
      assert.match(ended.stderr, why);
      assert.ok(!existsSync(file));
    }
    const ended = await vigil('snapshot', 'one', path.join(dir, 'no/folder.jpg'));
    assert.equal(ended.code, 69);
    assert.match(ended.stderr, /folder\.jpg cannot be written \(ENOENT\)\n$/);
  });

  test('snapshot never takes an old picture for the present one', async () => {
    const [, ...others] = cameras;
    daemon.edit({ ...config, cameras: [{ id: 'one', url: 'rtsp://127.0.0.1:1/live' }, ...others] });
    const file = path.join(dir, 'old.jpg');
    await waitUntil(
      'its picture is old',
      async () => {
        rmSync(file, { force: true });
        const { code, stderr } = await vigil('snapshot', 'one', file);
        if (code === 0) return false;
        assert.equal(code, 69);
        assert.match(stderr, /^vigil: the newest picture of one is \d+ s old, more than 10 s: .*refused?\b/);
        assert.ok(!existsSync(file));
        return true;
      },
      60_000,
    );
  });
});
