/** The command `probe` on real feeds, without servers and without a daemon. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import type { ProbeReport } from '../../src/protocol/probe';
import { descendants, MAIN, newDir } from '../../lab/daemon';
import { clip } from '../../lab/feeds/clips';
import { startMjpegServer, type MjpegServer } from '../../lab/feeds/mjpeg-server';
import { startRtspServer, type RtspServer } from '../../lab/feeds/rtsp';
import { isAlive, waitUntil } from '../../lab/process';

/** Not that of feeds.test.ts, which searches all command lines for its own; here it is in the probe's. */
const PASSWORD = 'door@:/?#% é';

/** Runs `probe` to its end, or to `signal` once it has started an ffmpeg; asserts that it leaves no process behind. */
async function probe(args: readonly string[], signal?: NodeJS.Signals) {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent' };
  const child = spawn(process.execPath, [MAIN, 'probe', ...args], { env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const seen = new Set<number>();
  const watch = setInterval(() => {
    for (const pid of descendants(child.pid ?? 0)) seen.add(pid);
  }, 50);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  if (signal !== undefined) {
    await waitUntil('it runs ffmpeg', () => seen.size > 0);
    child.kill(signal);
  }
  const status = await ended;
  clearInterval(watch);
  assert.deepEqual([...seen].filter(isAlive), [], 'processes are left behind');
  assert.doesNotMatch(stdout + stderr, /\n\s+at |door%40|door@:|hush/);
  return { status, stdout, stderr, ffmpegs: seen.size };
}

async function report(args: readonly string[]): Promise<ProbeReport & { status: number | null }> {
  const { status, stdout, stderr } = await probe([...args, '--json']);
  assert.equal(stderr, '');
  return { ...(JSON.parse(stdout) as ProbeReport), status };
}

describe('probe', { concurrency: 3 }, () => {
  const dir = newDir();
  let server: RtspServer;
  let http: MjpegServer;
  let config: string;

  before(async () => {
    const [h264, rare] = await Promise.all([clip(), clip({ keyframeIntervalS: 2, codec: 'h265' })]);
    const mounts = {
      '/cam': { clip: h264, codec: 'h264', fps: 10 },
      '/rare': { clip: rare, codec: 'h265', fps: 10 },
      '/silent': { clip: h264, codec: 'h264', fps: 10 },
    } as const;
    server = await startRtspServer({ mounts, username: 'viewer', password: PASSWORD });
    await server.send({ command: 'silence', path: '/silent' });
    http = await startMjpegServer({ fps: 10 });
    config = path.join(dir, 'actors.json');
    const camera = { id: 'gate', url: server.url('/cam'), username: 'viewer', password: PASSWORD };
    writeFileSync(config, JSON.stringify({ cameras: [{ ...camera, transport: 'auto' }] }));
  });
  after(async () => {
    await server.stop();
    await http.stop();
  });

  test('says codec, size, rate, keyframe interval, sampling with its reason and the measured cost', async () => {
    const found = await report([server.url('/cam', true)]);
    assert.equal(found.status, 0);
    assert.equal(found.feed, server.url('/cam'));
    assert.deepEqual([found.codec, found.width, found.height, found.fault], ['h264', 640, 360, null]);
    assert.ok(
      Math.abs((found.picturesPerSecond ?? 0) - 10) < 1,
      `${String(found.picturesPerSecond)} a second`,
    );
    const { mean = 0 } = found.keyframeIntervalMs ?? {};
    assert.ok(Math.abs(mean - 1000) < 100, `${mean} ms`);
    assert.equal(found.sampling, 'keyframes');
    assert.match(found.samplingReason, /a picture is wanted every 1000 ms/);
    assert.ok(Math.abs(found.clockOffsetMs ?? NaN) <= 150, `${String(found.clockOffsetMs)} ms`);
    const { processorSecondsPerMinute: cost, measuredForMs } = found;
    assert.ok(cost !== null && cost > 0 && cost < 60, `${String(cost)} s a minute`);
    assert.ok(measuredForMs !== null && measuredForMs > 2000);
  });

  test('explains as text why keyframes alone are not enough when they are rare', async () => {
    const { status, stdout } = await probe([server.url('/rare', true)]);
    assert.equal(status, 0);
    assert.match(stdout, /^rtsp:\/\/127\.0\.0\.1:\d+\/rare\n {2}codec +hevc\n {2}size +640x360\n/);
    assert.match(stdout, /sampling +between-keyframes: a keyframe comes every (1[5-9]|2[0-4])\d\d ms only/);
    assert.match(stdout, /clock offset +\d+ ms (behind|ahead): /);
    assert.match(
      stdout,
      /cost +[\d.]+ processor seconds per minute in ffmpeg, measured on this machine for /,
    );
  });

  for (const [extension, format] of [
    ['jpg', 'jpeg'],
    ['png', 'png'],
    ['WEBP', 'webp'],
  ] as const)
    test(`--save keeps a whole .${extension}`, async () => {
      const file = path.join(dir, `picture.${extension}`);
      const found = await report([http.url('/stream'), '--save', file]);
      assert.deepEqual([found.status, found.saved, found.codec], [0, file, 'mjpeg']);
      const picture = sharp(readFileSync(file), { failOn: 'warning' });
      const { info } = await picture.raw().toBuffer({ resolveWithObject: true });
      assert.deepEqual([(await picture.metadata()).format, info.width, info.height], [format, 640, 360]);
    });

  test('--camera probes a feed of the configuration, with its settings', async () => {
    const found = await report(['--camera', 'gate', '--config', config]);
    assert.deepEqual([found.status, found.feed, found.transport], [0, server.url('/cam'), 'udp']);
  });

  test('a fault is named with what to do, exit 69', async () => {
    const found = await report([server.url('/cam').replace('//', '//viewer:hush@')]);
    assert.equal(found.status, 69);
    assert.equal(found.fault?.code, 'unauthorized');
    assert.match(found.fault.message, /^rtsp:\/\/127\.0\.0\.1:\d+\/cam refused the user name or password; /);
    const { status, stdout } = await probe(['rtsp://127.0.0.1:1/cam']);
    assert.equal(status, 69);
    assert.match(stdout, /\n {2}fault +refused: rtsp:\/\/127\.0\.0\.1:1\/cam refuses connections; /);
  });

  test('a feed that stays silent is given up in time', async () => {
    const startedMs = Date.now();
    const found = await report([http.url('/silent'), '--seconds', '2']);
    assert.deepEqual([found.status, found.fault?.code], [69, 'silent']);
    assert.ok(Date.now() - startedMs < 12_000);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    test(`${signal} ends it and its ffmpeg`, async () => {
      const { status, stdout, ffmpegs } = await probe([server.url('/silent', true)], signal);
      assert.equal(status, 69);
      assert.match(stdout, /fault +interrupted: /);
      assert.ok(ffmpegs > 0);
    });

  const wrong: readonly [string, readonly string[], number, RegExp][] = [
    [
      'no URL',
      [],
      2,
      /^vigil: "probe" expects the URL of a feed, or --camera ID, and not both; see probe --help\n$/,
    ],
    ['a path', ['/etc/passwd'], 78, /^vigil: the URL to probe: expected a URL that begins with rtsp:/],
    ['a file URL', ['file:///etc/passwd'], 78, /found file:/],
    ['two @', ['rtsp://u:hush/@cam/a'], 78, /put them into "username" and "password" beside it/],
    ['another format', ['rtsp://127.0.0.1:1/', '--save', 'a.gif'], 2, /--save expects a name that ends with/],
  ];
  for (const [what, args, code, sentence] of wrong)
    test(`${what} is refused in one sentence, exit ${code}`, async () => {
      const { status, stdout, stderr } = await probe(args);
      assert.deepEqual([status, stdout], [code, '']);
      assert.match(stderr, sentence);
    });

  test('a camera that is not in the configuration is named, exit 78', async () => {
    const { status, stderr } = await probe(['--camera', 'gaet', '--config', config]);
    assert.equal(status, 78);
    assert.match(stderr, /has no enabled camera "gaet"; it has: gate\n$/);
  });

  test('a missing folder is named, exit 69', async () => {
    const { status, stderr } = await probe([http.url('/stream'), '--save', path.join(dir, 'no/a.jpg')]);
    assert.equal(status, 69);
    assert.match(stderr, /no\/a\.jpg cannot be written \(ENOENT\)\n$/);
  });
});
