/** The tests' own clips and RTSP servers, verified with the real ffmpeg: media can be decoded, refusals are refusals. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { clip, CLIP_DEFAULTS, splitJpegs, type Codec } from '../../lab/feeds/clips';
import { startRtspServer, type RtspMount, type RtspServer } from '../../lab/feeds/rtsp';
import { isAlive, run, waitUntil } from '../../lab/process';
import { assertDecodable, assertRefused, TCP, UDP, USER, watch } from '../../lab/feeds/ffmpeg-client';

const { fps } = CLIP_DEFAULTS;

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
  void it('are made once and begin with a keyframe after an access unit delimiter', async () => {
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

  void it('falls silent on one path, keeps its connections open, and resumes at the same place', async () => {
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

  void it('refuses an unknown command and continues', async () => {
    await assert.rejects(server.send({ command: 'silence', path: '/nope' }), /KeyError/);
    assert.equal(await server.clients(), 0);
  });
});

void describe('an RTSP server with a password', () => {
  for (const authentication of [['basic'], ['digest'], ['basic', 'digest']] as const) {
    void it(`of any characters requires it (${authentication.join(' and ')})`, async () => {
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
  void it('ends with kill(), after which another server takes its port', async () => {
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

  void it('ends with its parent, however that ends', async () => {
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
