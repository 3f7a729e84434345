/** A machine with a fault: one clear sentence, a documented exit code, and no other effect. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { findProgram } from '../../src/os/orphans';
import { MAIN, newDir, startDaemon } from '../../lab/daemon';
import { newNamespace, remoteServers } from '../../lab/events';
import { spawnOwned, waitUntil } from '../../lab/process';
import { vigil } from '../../lab/command';

const demo = { id: 'demo', test: 'testsrc2' };
/** Servers that need not run: the configuration is refused before they are contacted. */
const nowhere = { redis: 'redis://127.0.0.1:1', rabbitmq: 'amqp://127.0.0.1:1' };

describe('a machine with a fault', () => {
  test('a missing ffmpeg is named with the way to get it, exit 69', () => {
    const dir = newDir();
    const bin = path.join(dir, 'bin');
    mkdirSync(bin);
    for (const name of ['flock', 'setpriv']) symlinkSync(findProgram(name) ?? '', path.join(bin, name));
    const file = path.join(dir, 'actors.json');
    writeFileSync(file, JSON.stringify({ ...nowhere, cameras: [demo] }));
    const { status, stderr } = vigil(['--config', file], { PATH: bin, FFMPEG_BIN: path.join(bin, 'none') });
    assert.match(
      stderr,
      /^vigil: missing on this machine: ffmpeg \(feeds are read with it\); .*apt-get install ffmpeg/,
    );
    assert.equal(status, 69);
  });

  test('a port in use is named, exit 69', async () => {
    const holder: Server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as AddressInfo;
    const daemon = startDaemon({ config: { ...nowhere, redis: { embedded: true, port }, cameras: [] } });
    assert.equal(await daemon.exited, 69);
    assert.match(
      daemon.output(),
      new RegExp(`vigil: redis: port ${port} of 127\\.0\\.0\\.1 is in use; stop what listens there`),
    );
    holder.close();
    await daemon.stop();
  });

  test('an embedded server that does not start is named with its last output, exit 69', async () => {
    const dir = newDir();
    // A file where Redis needs a folder.
    mkdirSync(path.join(dir, 'data', 'redis'), { recursive: true });
    writeFileSync(path.join(dir, 'data', 'redis', 'appendonlydir'), '');
    const daemon = startDaemon({ config: { ...nowhere, redis: 'embedded', cameras: [] }, dir });
    assert.equal(await daemon.exited, 69);
    assert.match(
      daemon.output(),
      /vigil: redis-server did not start: it ended with code 1; its last output: .*append-only dir/,
    );
    await daemon.stop();
  });

  test('a data directory that cannot be written is named, exit 69', () => {
    const dir = newDir();
    const file = path.join(dir, 'actors.json');
    writeFileSync(file, JSON.stringify({ ...nowhere, cameras: [] }));
    // No user can write into a file in its place, not even root.
    writeFileSync(path.join(dir, 'data'), '');
    chmodSync(path.join(dir, 'data'), 0o400);
    const { status, stderr } = vigil(['--config', file]);
    assert.match(stderr, /^vigil: data directory .*\/data cannot be written \(\w+\); .*--data-dir\n$/);
    assert.equal(status, 69);
  });

  test('a control socket that cannot be created is named, exit 69, and the data directory is left in order', async () => {
    const dir = newDir();
    mkdirSync(path.join(dir, 'data', 'vigil.sock'), { recursive: true });
    const daemon = startDaemon({ config: { ...nowhere, cameras: [] }, dir });
    assert.equal(await daemon.exited, 69);
    assert.match(
      daemon.output(),
      /vigil: the control socket .*\/data\/vigil\.sock cannot be created \(\w+\); remove what is in its place/,
    );
    assert.ok(daemon.log.some(({ message }) => message === 'stopped'));
    await daemon.stop();
  });

  test('a part of the daemon that fails to stop is named, exit 70, and does not keep other parts from stopping', async () => {
    const daemon = startDaemon({ config: { ...nowhere, cameras: [demo] } });
    await daemon.actorPid('camera:demo');
    const endpoints = path.join(daemon.dataDir, 'endpoints.json');
    assert.ok(existsSync(endpoints));
    const socket = path.join(daemon.dataDir, 'vigil.sock');
    rmSync(socket);
    mkdirSync(socket);
    daemon.signal('SIGTERM');
    assert.equal(await daemon.exited, 70);
    const line = daemon.log.find(({ code }) => code === 'stop-failed');
    assert.match(line?.message ?? '', /^the daemon did not stop cleanly: the control socket: /);
    assert.equal(daemon.log.at(-1)?.message, 'stopped');
    assert.ok(!existsSync(endpoints), 'what is closed after it is closed');
    await daemon.stop();
  });

  test('a data directory in use is named with its holder, exit 69; the holder is not disturbed', async () => {
    const config = { namespace: newNamespace(), ...remoteServers(), cameras: [] };
    const first = startDaemon({ config });
    await first.said(/^ready/);
    const second = startDaemon({ config, dir: first.dir });
    assert.equal(await second.exited, 69);
    assert.match(
      second.output(),
      new RegExp(`vigil: data directory .* is in use by the daemon with pid ${first.pid};`),
    );
    assert.equal(await first.stop(), 0);
  });
});

describe('the command process', () => {
  const { redis, rabbitmq } = remoteServers();

  /** `process` on a queue of its own that holds frames, in a folder of its own. */
  async function started(t: TestContext, prepare: (out: string) => void) {
    const config = { namespace: newNamespace(), redis, rabbitmq, cameras: [demo] };
    const daemon = startDaemon({ config });
    t.after(() => daemon.stop());
    await daemon.said(/^ready/);
    const out = path.join(daemon.dir, 'out');
    prepare(out);
    const file = path.join(daemon.dir, 'actors.json');
    const program = await spawnOwned(process.execPath, [MAIN, 'process', '--config', file, '--out', out]);
    let stdout = '';
    program.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    t.after(() => program.end());
    return { program, stdout: () => stdout };
  }

  test('ends at the first signal when its folder cannot be written, exit 69', async (t) => {
    // No user can write into a file in the place of the camera's folder, not even root.
    const { program, stdout } = await started(t, (out) => {
      mkdirSync(out);
      writeFileSync(path.join(out, 'demo'), '');
    });
    await waitUntil('it says that it waits', () => stdout().includes('consuming pauses: cannot save to'));
    program.signal('SIGTERM');
    assert.deepEqual(await program.exited, { code: 69, signal: null });
    assert.match(program.stderr(), /^vigil: consuming pauses: cannot save to .*\/demo/);
  });

  test('ends at once when its folder cannot be created, exit 69', async (t) => {
    const { program } = await started(t, (out) => writeFileSync(out, ''));
    assert.deepEqual(await program.exited, { code: 69, signal: null });
    assert.match(program.stderr(), /^vigil: cannot create .*\/out: /);
  });
});
