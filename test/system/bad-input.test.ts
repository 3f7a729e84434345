/** Whatever an operator may get wrong: one clear sentence, a documented exit code, and nobody else suffers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { findProgram } from '../../src/os/orphans';
import { MAIN, newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { clip } from '../../lab/feeds/clips';
import { startMjpegServer } from '../../lab/feeds/mjpeg-server';
import { startRtspServer } from '../../lab/feeds/rtsp';
import { spawnOwned, waitUntil } from '../../lab/process';

/** Runs the program to its end. */
function vigil(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...env, NODE_OPTIONS: '' },
  });
  return { status, stdout, stderr };
}

const demo = { id: 'demo', test: 'testsrc2' };
/** Servers nobody has to run: the configuration is refused before they matter. */
const nowhere = { redis: 'redis://127.0.0.1:1', rabbitmq: 'amqp://127.0.0.1:1' };

describe('the command line', () => {
  const cases: [string, string[], number, RegExp][] = [
    [
      'an unknown command',
      ['statsu'],
      2,
      /^vigil: unknown command "statsu"; did you mean "status"\? See --help\n$/,
    ],
    ['an unknown option', ['--frob'], 2, /^vigil: unknown option "--frob"; see daemon --help\n$/],
    [
      'a count that is no number',
      ['process', '--count', 'x'],
      2,
      /--count expects a whole number above 0, found "x"/,
    ],
    ['an option of another command', ['--out', 'x'], 2, /--out is an option of "process", not of "daemon"/],
    ...['daemon', 'check', 'plan', 'status', 'ledger', 'process'].map(
      (command): [string, string[], number, RegExp] => [
        `for ${command}, a configuration that is not there`,
        [command, '--config', '/nonexistent/a.json'],
        78,
        /^vigil: --config \/nonexistent\/a\.json: there is no such file\n$/,
      ],
    ),
  ];
  for (const [what, args, code, sentence] of cases)
    test(`${what} is said in one sentence, exit ${code}`, () => {
      const { status, stderr } = vigil(args);
      assert.match(stderr, sentence);
      assert.equal(status, code);
      assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace');
    });

  for (const args of [['check'], ['--help'], ['--version']])
    test(`${args.join()} onto a full disk is one sentence and no success`, () => {
      const dir = newDir();
      const file = path.join(dir, 'actors.json');
      writeFileSync(file, JSON.stringify({ ...nowhere, cameras: [demo] }));
      const full = openSync('/dev/full', 'w');
      const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args, '--config', file], {
        encoding: 'utf8',
        stdio: ['ignore', full, 'pipe'],
      });
      closeSync(full);
      assert.equal(stderr, 'vigil: standard output cannot be written: the disk is full (ENOSPC)\n');
      assert.equal(status, 69);
      rmSync(dir, { recursive: true });
    });

  test('--help and --version need no configuration', () => {
    assert.match(vigil(['--help', '--config', '/nonexistent']).stdout, /Usage: node dist\/main\.js/);
    assert.match(vigil(['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});

describe('a configuration that is not valid', () => {
  const cases: [string, unknown, RegExp][] = [
    ['invalid JSON', '{ "cameras": [}', /\$: is not JSON: expected a value at line 1, column 15/],
    [
      'an unknown key',
      { cameras: [{ ...demo, rtae: 1 }] },
      /\$\.cameras\[0\]\.rtae: unknown key; did you mean "rate"\?/,
    ],
    [
      'a wrong type',
      { cameras: [{ ...demo, rate: 'fast' }] },
      /\$\.cameras\[0\]\.rate: expected number, found "fast"/,
    ],
    [
      'a duplicate id',
      { cameras: [demo, demo] },
      /\$\.cameras\[1\]\.id: "demo" is already the id of \$\.cameras\[0\]/,
    ],
    ['an illegal id', { cameras: [{ ...demo, id: '../etc' }] }, /\$\.cameras\[0\]\.id: found "\.\.\/etc"/],
    [
      'an unset variable',
      { cameras: [{ ...demo, id: '${NO_SUCH}' }] },
      /\$\.cameras\[0\]\.id: the environment variable NO_SUCH is not set/,
    ],
    [
      'a file where a stream is expected',
      { cameras: [{ id: 'a', url: 'file:///etc/passwd' }] },
      /\$\.cameras\[0\]\.url: .*found file:; a local video goes into "file"/,
    ],
    [
      'a URL of another protocol',
      { ...nowhere, redis: 'http://x', cameras: [] },
      /\$\.redis: expected a URL that begins with redis:\/\/, rediss:\/\/, .*found http:/,
    ],
  ];
  for (const [what, config, sentence] of cases)
    for (const word of [[], ['check']])
      test(`${what} is named with its path, exit 78 (${word[0] ?? 'daemon'})`, () => {
        const dir = newDir();
        const file = path.join(dir, 'actors.json');
        writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
        const { status, stderr } = vigil([...word, '--config', file]);
        assert.match(stderr, sentence);
        assert.equal(status, 78);
        assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace');
        rmSync(dir, { recursive: true });
      });

  test('all faults are listed at once', () => {
    const dir = newDir();
    const file = path.join(dir, 'actors.json');
    writeFileSync(file, JSON.stringify({ nmespace: 'x', cameras: [{ id: '!', rate: 99 }] }));
    const { stderr } = vigil(['check', '--config', file]);
    for (const place of [/\$\.nmespace/, /\$\.cameras\[0\]\.id/, /\$\.cameras\[0\]\.rate/])
      assert.match(stderr, place);
    rmSync(dir, { recursive: true });
  });

  test('check says a valid one is, and starts nothing', () => {
    const dir = newDir();
    const file = path.join(dir, 'actors.json');
    writeFileSync(
      file,
      JSON.stringify({ ...nowhere, rabbitmq: 'amqp://user:secret@127.0.0.1:1', cameras: [demo] }),
    );
    const { status, stdout } = vigil(['check', '--config', file]);
    assert.equal(status, 0);
    assert.match(stdout, /is valid\.\ncameras: demo\n/);
    for (const what of [/redis memory +\d+ MB/, /spool +.*\d+ s/, /processes +6: 5 node/, /descriptors +\d+/])
      assert.match(stdout, what);
    assert.doesNotMatch(stdout, /secret/);
    assert.throws(() => statSync(path.join(dir, 'data')));
    rmSync(dir, { recursive: true });
  });
});

describe('a machine that is not as it should be', () => {
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
    rmSync(dir, { recursive: true });
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

  test('an embedded server that does not start is named with its last words, exit 69', async () => {
    const dir = newDir();
    // Redis wants a folder there.
    mkdirSync(path.join(dir, 'data', 'redis'), { recursive: true });
    writeFileSync(path.join(dir, 'data', 'redis', 'appendonlydir'), '');
    const daemon = startDaemon({ config: { ...nowhere, redis: 'embedded', cameras: [] }, dir });
    assert.equal(await daemon.exited, 69);
    assert.match(
      daemon.output(),
      /vigil: redis-server did not start: it ended with code 1; its last words: .*append-only dir/,
    );
    await daemon.stop();
  });

  test('a data directory that cannot be written is named, exit 69', () => {
    const dir = newDir();
    const file = path.join(dir, 'actors.json');
    writeFileSync(file, JSON.stringify({ ...nowhere, cameras: [] }));
    // A file in its place refuses everybody, root included.
    writeFileSync(path.join(dir, 'data'), '');
    chmodSync(path.join(dir, 'data'), 0o400);
    const { status, stderr } = vigil(['--config', file]);
    assert.match(stderr, /^vigil: data directory .*\/data cannot be written \(\w+\); .*--data-dir\n$/);
    assert.equal(status, 69);
    rmSync(dir, { recursive: true });
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

  test('a part of the daemon that fails to stop is named, exit 70, and keeps no other part from stopping', async () => {
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

describe('process', () => {
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

  test('on a folder that cannot be written ends at the first signal, exit 69', async (t) => {
    // A file in the place of the camera's folder refuses everybody, root included.
    const { program, stdout } = await started(t, (out) => {
      mkdirSync(out);
      writeFileSync(path.join(out, 'demo'), '');
    });
    await waitUntil('it says that it waits', () => stdout().includes('consuming pauses: cannot save to'));
    program.signal('SIGTERM');
    assert.deepEqual(await program.exited, { code: 69, signal: null });
    assert.match(program.stderr(), /^vigil: consuming pauses: cannot save to .*\/demo/);
  });

  test('on a folder that cannot be created ends at once, exit 69', async (t) => {
    const { program } = await started(t, (out) => writeFileSync(out, ''));
    assert.deepEqual(await program.exited, { code: 69, signal: null });
    assert.match(program.stderr(), /^vigil: cannot create .*\/out: /);
  });
});

describe('servers that are not there', () => {
  test('unreachable servers are waited for, said once, and frames wait in the spool', async () => {
    const daemon = startDaemon({ config: { ...nowhere, cameras: [demo] } });
    await daemon.said(
      /^redis at redis:\/\/127\.0\.0\.1:1 refuses connections \(ECONNREFUSED\); .*; frames wait in the spool/,
    );
    await daemon.said(/^rabbitmq at amqp:\/\/127\.0\.0\.1:1 refuses connections/);
    assert.equal(
      daemon.log.filter(({ message }) => /^rabbitmq .* refuses connections/.test(message)).length,
      1,
    );
    assert.ok(!daemon.log.some(({ message }) => message.startsWith('ready')));
    assert.equal(await daemon.stop(), 0);
  });

  test('wrong passwords are named as such, without the password', async () => {
    const { redis, rabbitmq } = remoteServers();
    const wrong = (url: string) => url.replace(/:[^:@/]+@/, ':Wr0ngSecret@');
    const daemon = startDaemon({ config: { redis: wrong(redis), rabbitmq: wrong(rabbitmq), cameras: [] } });
    await daemon.said(/^redis at redis:\/\/127\.0\.0\.1:\d+\S* refused the user name or password/);
    await daemon.said(/^rabbitmq at amqp:\/\/127\.0\.0\.1:\d+\S* refused the user name or password/);
    assert.doesNotMatch(daemon.output(), /Wr0ngSecret/);
    assert.equal(await daemon.stop(), 0);
  });
});

describe('bad cameras', () => {
  const namespace = newNamespace();
  const closing: (() => Promise<unknown>)[] = [];
  let events: Listener;
  let daemon: Daemon;

  before(async () => {
    const h264 = await clip();
    const rtsp = await startRtspServer({
      mounts: { '/cam': { clip: h264, codec: 'h264', fps: 10 } },
      username: 'viewer',
      password: 'right',
    });
    const open = await startRtspServer({ mounts: { '/cam': { clip: h264, codec: 'h264', fps: 10 } } });
    const http = await startMjpegServer();
    await open.send({ command: 'silence', path: '/cam' });
    for (const server of [rtsp, open, http]) closing.push(() => server.stop());
    const login = { username: 'viewer', password: 'right' };
    events = await listen(namespace);
    daemon = startDaemon({
      config: {
        namespace,
        ...remoteServers(),
        cameraDefaults: { connectMs: 4000 },
        cameras: [
          { id: 'good', url: rtsp.url('/cam'), ...login },
          { id: 'wrong-password', url: rtsp.url('/cam'), username: 'viewer', password: 'Wr0ngSecret' },
          { id: 'wrong-path', url: rtsp.url('/nope'), ...login },
          { id: 'no-server', url: 'rtsp://127.0.0.1:1/cam' },
          { id: 'no-stream', url: http.url('/html') },
          { id: 'http-404', url: http.url('/404') },
          { id: 'silent', url: open.url('/cam') },
          { id: 'no-host', url: 'rtsp://no-such-host.invalid/cam' },
          { id: 'no-file', file: 'nothing-here.mp4' },
        ],
      },
    });
    await daemon.said(/^ready/);
  });

  after(async () => {
    await events.close();
    await daemon.stop();
    await Promise.all(closing.map((close) => close()));
  });

  const cases: [string, string, RegExp][] = [
    [
      'wrong-password',
      'unauthorized',
      /^rtsp:\/\/127\.0\.0\.1:\d+\/cam refused the user name or password; check/,
    ],
    ['wrong-path', 'not-found', /\/nope answers, but has no stream of that path \(404\); check the path/],
    ['no-server', 'refused', /^rtsp:\/\/127\.0\.0\.1:1\/cam refuses connections; check the port/],
    [
      'no-stream',
      'not-a-stream',
      /\/html answers with text\/html, not with video; check that the URL is that of a stream/,
    ],
    ['http-404', 'not-found', /\/404 answers, but has nothing at that path \(404\); check the path/],
    ['silent', 'silent', /\/cam accepts the connection and does not answer within 4000 ms of being opened/],
    ['no-host', 'unknown-host', /^rtsp:\/\/no-such-host\.invalid\/cam has a name that cannot be resolved/],
    ['no-file', 'no-file', /nothing-here\.mp4 does not exist; check the path/],
  ];
  for (const [camera, code, sentence] of cases)
    test(`${camera}: the state event and the log say ${code} in one sentence`, async () => {
      const { state, fault } = await events.gotFault(camera, code);
      assert.equal(state, 'waiting');
      assert.match(fault?.message ?? '', sentence);
      const line = daemon.log.find((entry) => entry.camera === camera && entry.code === code);
      assert.equal(line?.level, 'warn');
      assert.match(line.message, sentence);
    });

  test('the good camera beside them has a picture every second', async () => {
    await events.gotEverySecond('good', 8);
  });

  test('no password is in the log or an event', () => {
    for (const text of [daemon.output(), JSON.stringify(events.received)])
      assert.doesNotMatch(text, /Wr0ngSecret|right@|:right/);
  });
});
