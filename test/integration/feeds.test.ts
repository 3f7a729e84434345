/** The feed servers of the system tests, proven with the real ffmpeg: what they deliver can be decoded, what they refuse is refused. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { clip, CLIP_DEFAULTS, splitJpegs, type Codec } from '../../lab/feeds/clips';
import { startHlsServer } from '../../lab/feeds/hls-server';
import { startMjpegServer, type MjpegServer } from '../../lab/feeds/mjpeg-server';
import { startRtmpServer } from '../../lab/feeds/rtmp';
import { startRtspServer, type RtspMount, type RtspServer } from '../../lab/feeds/rtsp';
import { isAlive, run, spawnOwned, waitUntil, type OwnedProcess } from '../../lab/process';

const { width, height, fps } = CLIP_DEFAULTS;
const PICTURE_BYTES = width * height;
const USER = { username: 'us er@é/x', password: 'p:@ß%/?#&"\\\' $`' };
const TCP = ['-rtsp_transport', 'tcp', '-timeout', '5000000'];
const UDP = ['-rtsp_transport', 'udp', '-timeout', '5000000'];
const QUICK = ['-fpsprobesize', '0', '-analyzeduration', '1000000'];

function decoder(url: string, options: readonly string[], output: readonly string[] = []): string[] {
  const input = ['-nostdin', '-nostats', '-hide_banner', ...QUICK, ...options, '-threads', '1', '-i', url];
  const pictures = ['-map', '0:v:0', '-pix_fmt', 'gray', '-fps_mode', 'passthrough', '-f', 'rawvideo'];
  return [...input, ...pictures, ...output, 'pipe:1'];
}

/** Fails unless ffmpeg decodes three different, contrasty pictures of the expected codec from the URL. */
async function assertDecodable(url: string, codec: string, options: readonly string[] = []): Promise<void> {
  const { code, stdout, stderr } = await run('ffmpeg', decoder(url, options, ['-frames:v', '3']));
  assert.equal(code, 0, stderr);
  assert.match(stderr, new RegExp(`Video: ${codec}\\b`));
  assert.equal(stdout.length, 3 * PICTURE_BYTES, stderr);
  const [first, second, third] = [0, 1, 2].map((n) =>
    stdout.subarray(n * PICTURE_BYTES, (n + 1) * PICTURE_BYTES),
  );
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  assert.ok(!first.equals(second) && !second.equals(third), 'the picture moves');
  assert.ok(contrast(first) > 150, `contrast ${contrast(first)}`);
}

function contrast(picture: Buffer): number {
  const sorted = Uint8Array.from(picture).sort();
  return (sorted.at(-1) ?? 0) - (sorted.at(0) ?? 0);
}

async function assertRefused(url: string, text: RegExp, options: readonly string[] = []): Promise<void> {
  const { code, stdout, stderr } = await run('ffmpeg', decoder(url, options, ['-frames:v', '1']));
  assert.notEqual(code, 0);
  assert.equal(stdout.length, 0);
  assert.match(stderr, text);
}

/** A client that stays: `pictures()` counts what it has decoded. */
async function watch(
  url: string,
  options: readonly string[],
): Promise<OwnedProcess & { pictures(): number }> {
  const program = await spawnOwned('ffmpeg', decoder(url, options));
  let bytes = 0;
  program.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length));
  return { ...program, pictures: () => Math.floor(bytes / PICTURE_BYTES) };
}

async function mounts(): Promise<Record<`/${Codec}` | '/second', RtspMount>> {
  const h264: RtspMount = { clip: await clip(), codec: 'h264', fps };
  return {
    '/h264': h264,
    '/second': h264,
    '/h265': { clip: await clip({ codec: 'h265' }), codec: 'h265', fps },
    '/mjpeg': { clip: await clip({ codec: 'mjpeg' }), codec: 'mjpeg', fps },
  };
}

void describe('clips', () => {
  void it('are made once and begin with a keyframe behind an access unit delimiter', async () => {
    const [path, same] = await Promise.all([clip(), clip()]);
    assert.equal(path, same);
    const bytes = await readFile(path);
    assert.equal(bytes.subarray(0, 5).toString('hex'), '0000000109');
    const keyframes = await run('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'packet=flags',
      '-of',
      'csv=p=0',
      path,
    ]);
    const flags = keyframes.stdout.toString().trim().split('\n');
    assert.equal(flags.length, CLIP_DEFAULTS.seconds * fps);
    assert.deepEqual(
      flags.flatMap((flag, index) => (flag.startsWith('K') ? [index] : [])),
      Array.from({ length: CLIP_DEFAULTS.seconds }, (_, second) => second * fps),
    );
  });

  void it('of JPEGs are cut into their pictures', async () => {
    const pictures = splitJpegs(await readFile(await clip({ codec: 'mjpeg', seconds: 2 })));
    assert.equal(pictures.length, 2 * fps);
    for (const picture of pictures) {
      assert.equal(
        picture.subarray(0, 3).toString('hex') + picture.subarray(-2).toString('hex'),
        'ffd8ffffd9',
      );
    }
  });
});

void describe('the RTSP server', () => {
  let server: RtspServer;
  before(async () => {
    server = await startRtspServer({ mounts: await mounts() });
  });
  after(async () => {
    await server.stop();
    assert.equal(isAlive(server.pid), false);
  });

  for (const [path, codec, transport, options] of [
    ['/h264', 'h264', 'TCP', TCP],
    ['/h264', 'h264', 'UDP', UDP],
    ['/h265', 'hevc', 'TCP', TCP],
    ['/h265', 'hevc', 'UDP', UDP],
    ['/mjpeg', 'mjpeg', 'TCP', TCP],
    ['/mjpeg', 'mjpeg', 'UDP', UDP],
  ] as const) {
    void it(`delivers ${codec} over ${transport}`, () => assertDecodable(server.url(path), codec, options));
  }

  void it('answers 404 for a path it does not have', () =>
    assertRefused(server.url('/nope'), /404 Not Found/, TCP));

  void it('serves two clients at once, and one that comes after the last has left', async () => {
    const clients = await Promise.all([watch(server.url('/h264'), TCP), watch(server.url('/h264'), UDP)]);
    await waitUntil('two clients see pictures', () => clients.every((client) => client.pictures() >= 3));
    assert.equal(await server.clients(), 2);
    await Promise.all(clients.map((client) => client.end()));
    await waitUntil('no connection', async () => (await server.clients()) === 0);
    await assertDecodable(server.url('/h264'), 'h264', TCP);
  });

  void it('falls silent on one path and resumes where it was, connections staying open', async () => {
    const silenced = await watch(server.url('/h264'), TCP);
    const other = await watch(server.url('/second'), TCP);
    await waitUntil('both see pictures', () => silenced.pictures() > 0 && other.pictures() > 0);
    await server.send({ command: 'silence', path: '/h264' });
    let seen = 0;
    await waitUntil('silence on one path while the other goes on', async () => {
      seen = silenced.pictures();
      const before = other.pictures();
      await waitUntil('the other path goes on', () => other.pictures() > before + 5);
      return silenced.pictures() === seen;
    });
    assert.equal(await server.clients(), 2);
    await server.send({ command: 'resume', path: '/h264' });
    await waitUntil('media again', () => silenced.pictures() > seen + 3);
    assert.doesNotMatch(silenced.stderr(), /error|corrupt|conceal/i);

    await server.send({ command: 'disconnect' });
    await Promise.all([silenced.exited, other.exited]);
    assert.equal(await server.clients(), 0);
  });

  void it('refuses a command it does not know, and goes on', async () => {
    await assert.rejects(server.send({ command: 'silence', path: '/nope' }), /KeyError/);
    assert.equal(await server.clients(), 0);
  });
});

void describe('an RTSP server with a password', () => {
  for (const authentication of [['basic'], ['digest'], ['basic', 'digest']] as const) {
    void it(`of any characters asks for it (${authentication.join(' and ')})`, async () => {
      const server = await startRtspServer({ mounts: await mounts(), ...USER, authentication });
      try {
        const wrong = server.url('/mjpeg', true).replace('@127.', 'x@127.');
        await Promise.all([
          assertDecodable(server.url('/mjpeg', true), 'mjpeg', TCP),
          assertRefused(wrong, /401 Unauthorized/, TCP),
          assertRefused(server.url('/mjpeg'), /401 Unauthorized/, TCP),
        ]);
      } finally {
        await server.stop();
      }
    });
  }
});

void describe('an RTSP server with TLS', () => {
  void it('delivers, with a password too', async () => {
    const server = await startRtspServer({ mounts: await mounts(), ...USER, tls: true });
    try {
      assert.match(server.url('/h264'), /^rtsps:/);
      await assertDecodable(server.url('/h264', true), 'h264', TCP);
      await assertRefused(server.url('/h264'), /401 Unauthorized/, TCP);
    } finally {
      await server.stop();
    }
  });
});

void describe('the life of an RTSP server', () => {
  void it('ends by kill(), and another one takes its port', async () => {
    const options = { mounts: await mounts() };
    const first = await startRtspServer(options);
    const client = await watch(first.url('/h264'), TCP);
    await waitUntil('pictures', () => client.pictures() > 0);
    await first.kill();
    assert.equal(isAlive(first.pid), false);
    await assert.rejects(first.clients(), /SIGKILL/);
    await first.stop();
    await client.exited;

    const second = await startRtspServer({ ...options, port: first.port });
    try {
      await assertDecodable(first.url('/h264'), 'h264', TCP);
      await assert.rejects(
        startRtspServer({ ...options, port: first.port }),
        /cannot listen on 127\.0\.0\.1:/,
      );
    } finally {
      await second.stop();
    }
  });

  void it('ends with its parent, whatever ends that', async () => {
    const script = `
      const { startRtspServer } = require(${JSON.stringify(join(__dirname, '../../lab/feeds/rtsp'))});
      startRtspServer({ mounts: {} }).then(({ pid }) => {
        process.stdout.write(String(pid), () => process.kill(process.pid, 'SIGKILL'));
      });`;
    const { signal, stdout, stderr } = await run(process.execPath, ['--import', 'tsx', '--eval', script]);
    assert.equal(signal, 'SIGKILL', stderr);
    await waitUntil('the server has gone', () => !isAlive(Number(stdout.toString())));
  });
});

void describe('the MJPEG server', () => {
  let server: MjpegServer;
  before(async () => {
    server = await startMjpegServer(USER);
  });
  after(() => server.stop());

  void it('delivers, to two clients at once', async () => {
    const stays = await watch(server.url('/stream'), []);
    await waitUntil('a picture', () => stays.pictures() > 0);
    await assertDecodable(server.url('/stream'), 'mjpeg');
    const seen = stays.pictures();
    await waitUntil('more pictures', () => stays.pictures() > seen);
    await stays.end();
    await waitUntil('no stream', () => server.clients() === 0);
  });

  void it('asks for the password below /private', async () => {
    await Promise.all([
      assertDecodable(server.url('/private/stream', true), 'mjpeg'),
      assertRefused(server.url('/private/stream', true).replace('@127.', 'x@127.'), /401 Unauthorized/),
      assertRefused(server.url('/private/stream'), /401 Unauthorized/),
    ]);
  });

  void it('answers 404, a page, or nothing', async () => {
    await Promise.all([
      assertRefused(server.url('/404'), /404 Not Found/),
      assertRefused(server.url('/html'), /Invalid data found/),
      assertRefused(server.url('/silent'), /Connection timed out/, ['-rw_timeout', '300000']),
    ]);
  });

  void it('closes its streams when it stops', async () => {
    const other = await startMjpegServer();
    const client = await watch(other.url('/stream'), []);
    await waitUntil('a picture', () => client.pictures() > 0);
    await other.stop();
    await client.exited;
    await assertRefused(other.url('/stream'), /Connection refused/);
  });
});

void describe('the HLS server', () => {
  void it('delivers, and leaves neither process nor server when it stops', async () => {
    const server = await startHlsServer();
    try {
      await assertDecodable(server.url('/cam.m3u8'), 'h264');
      await assertRefused(server.url('/nope.m3u8'), /404 Not Found/);
    } finally {
      await server.stop();
    }
    assert.equal(isAlive(server.pid), false);
    await assertRefused(server.url('/cam.m3u8'), /Connection refused/);
  });
});

void describe('the RTMP server', () => {
  void it('delivers, listens again when its client has left, and leaves no process when it stops', async () => {
    const server = await startRtmpServer();
    const pids = [server.pid()];
    try {
      await assertDecodable(server.url, 'h264');
      await server.listening();
      pids.push(server.pid());
      await assertDecodable(server.url, 'h264');
    } finally {
      await server.stop();
      pids.push(server.pid());
    }
    assert.ok(new Set(pids).size > 1);
    assert.deepEqual(pids.filter(isAlive), []);
    await assertRefused(server.url, /Connection refused/);
  });
});
