/** Realistic RTSP cameras, with sound, passwords, redirections, slow answers: the real ffmpeg with fake and real servers. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { askRtsp } from '../../src/actors/camera/rtsp/question';
import type { CameraSource } from '../../src/config/topology';
import { Fault } from '../../src/fault/fault';
import { clip, CLIP_DEFAULTS } from '../../lab/feeds/clips';
import { type FakeCameraOptions } from '../../lab/feeds/fake-camera';
import { startRtspServer } from '../../lab/feeds/rtsp';
import { fakeCamera, look, streamOf } from '../../lab/feeds/rtsp-look';

const SIZE = { width: 640, height: 360 };

async function assertPictures(source: CameraSource): Promise<void> {
  const { picture, fault } = await look(source);
  assert.equal(fault?.message, undefined);
  assert.deepEqual({ width: picture?.width, height: picture?.height }, SIZE);
}

async function assertFault(url: string, code: string, sentence: RegExp, connectMs?: number): Promise<void> {
  const { fault, picture } = await look(streamOf(url), connectMs);
  assert.ok(picture === undefined && fault instanceof Fault, String(fault));
  assert.equal(fault.code, code, fault.message);
  assert.match(fault.message, sentence);
  assert.doesNotMatch(fault.message, /secret/);
}

describe('an RTSP camera with other tracks', { concurrency: 2 }, () => {
  const rows: readonly [string, Partial<FakeCameraOptions>][] = [
    ['sound that comes first', { audio: 'first' }],
    ['sound behind the video', { audio: 'second' }],
    ['sound that begins before the video', { audio: 'early' }],
    [
      'sound before video that is described without its parameters',
      { audio: 'first', withoutParameters: true },
    ],
    ['sound that it refuses with 404', { audio: { refused: '404 Not Found' } }],
    ['sound that it refuses with 461', { audio: { refused: '461 Unsupported Transport' } }],
    ['metadata', { metadata: true, audio: 'first' }],
    ['a second video', { secondVideo: {} }],
    ['a second video that it refuses', { secondVideo: { refused: '454 Session Not Found' } }],
  ];
  for (const [what, options] of rows)
    for (const transport of ['tcp', 'udp'] as const)
      it(`gives pictures over ${transport} if it has ${what}`, async (t) => {
        const camera = await fakeCamera(t, options);
        await assertPictures(streamOf(camera.url(), transport));
        const tracks = camera.requests.filter((line) => line.startsWith('SETUP'));
        assert.deepEqual(tracks, [`SETUP ${camera.url()}/video`], 'no other track is asked for');
      });

  it('gives pictures if its first picture is not a keyframe and its parameters are not described', async (t) => {
    const camera = await fakeCamera(t, { withoutParameters: true, firstPicture: 3 });
    await assertPictures(streamOf(camera.url()));
  });

  it('gives pictures from a real server with two sound tracks', async (t) => {
    const video = { clip: await clip(), codec: 'h264', fps: CLIP_DEFAULTS.fps } as const;
    const around = { ...video, audio: { before: ['pcma'], after: ['pcmu'] } } as const;
    const before = { ...video, audio: { before: ['pcmu', 'pcma'] } } as const;
    // One mount for each test: the server answers 503 while it closes the session of the previous viewer.
    const server = await startRtspServer({
      mounts: { '/around-tcp': around, '/around-udp': around, '/before-tcp': before, '/before-udp': before },
    });
    t.after(() => server.stop());
    for (const mount of ['around', 'before'])
      for (const transport of ['tcp', 'udp'] as const)
        await assertPictures(streamOf(server.url(`/${mount}-${transport}`), transport));
  });
});

describe('an RTSP camera that is slow', { concurrency: true }, () => {
  for (const transport of ['tcp', 'udp'] as const) {
    it(`may take "connectMs" to describe its stream, over ${transport}`, async (t) => {
      const camera = await fakeCamera(t, { describeDelayMs: 7000 });
      await assertPictures(streamOf(camera.url(), transport));
      assert.equal(camera.requests.filter((line) => line.startsWith('PLAY')).length, 1, 'opened once');
    });

    it(`may take "connectMs" to play it, over ${transport}`, async (t) => {
      const camera = await fakeCamera(t, { playDelayMs: 7000 });
      await assertPictures(streamOf(camera.url(), transport));
      assert.equal(camera.requests.filter((line) => line.startsWith('PLAY')).length, 1, 'opened once');
    });
  }

  it('is not mistaken for one with blocked UDP while it describes its stream', async (t) => {
    const camera = await fakeCamera(t, { describeDelayMs: 7000 });
    const { picture, transport } = await look({
      ...streamOf(camera.url(), 'udp'),
      orTcp: true,
    } as CameraSource);
    assert.ok(picture !== undefined);
    assert.equal(transport, 'udp');
  });

  it('is reported to describe its stream but send none of it', async (t) => {
    const camera = await fakeCamera(t, { playDelayMs: 60_000 });
    await assertFault(
      camera.url(),
      'silent',
      /describes its stream and sends nothing of it within \d+ ms/,
      3000,
    );
  });
});

describe('an RTSP camera with a password', { concurrency: 2 }, () => {
  const rows: readonly (readonly FakeCameraOptions['digest'][])[] = [
    [['MD5']],
    [['SHA-256']],
    [['MD5', 'SHA-256']],
    [['SHA-256', 'MD5']],
  ];
  for (const [digest = []] of rows) {
    const offered = digest.join(', then ');
    for (const transport of ['tcp', 'udp'] as const)
      it(`gives pictures over ${transport} if it offers ${offered}`, async (t) => {
        const camera = await fakeCamera(t, { digest });
        await assertPictures(streamOf(camera.url('/a', 'admin:secret'), transport));
      });

    it(`is "unauthorized" with a wrong one if it offers ${offered}`, async (t) => {
      const camera = await fakeCamera(t, { digest });
      await assertFault(
        camera.url('/a', 'admin:secreT'),
        'unauthorized',
        /refused the user name or password/,
      );
    });
  }

  it('is reported if no password is configured', async (t) => {
    const camera = await fakeCamera(t, { digest: ['MD5', 'SHA-256'] });
    await assertFault(camera.url(), 'unauthorized', /asks for a user name and password, and none is given/);
  });
});

describe('an RTSP camera that redirects', { concurrency: true }, () => {
  /** Asserts the answer with longer deadlines than a feed's, which opens the URL if the question takes too long. */
  async function assertAnswer(t: TestContext, url: string, sentence: RegExp): Promise<void> {
    const answer = await askRtsp(url, { firstMs: 30_000, redirectedMs: 30_000 }, t.signal);
    assert.ok(answer.kind === 'refused', answer.kind);
    assert.equal(answer.fault.code, 'redirect');
    assert.match(answer.fault.message, sentence);
  }

  it('to itself is asked once, and reported to redirect in a circle', async (t) => {
    const camera = await fakeCamera(t, { redirect: (_, self) => `${self}/loop` });
    const url = camera.url('/loop');
    await assertAnswer(t, url, /redirects in a circle, back to rtsp:\/\/127\.0\.0\.1:\d+\/loop;/);
    assert.deepEqual(camera.requests, [`DESCRIBE ${url}`]);
  });

  it('endlessly is given up after five redirections', async (t) => {
    let count = 0;
    const camera = await fakeCamera(t, { redirect: (_, self) => `${self}/${++count}` });
    await assertAnswer(t, camera.url(), /redirects more than 5 times, at last to rtsp:/);
    assert.equal(camera.requests.length, 6);
  });

  it('in a circle gives no feed, however early it was asked', async (t) => {
    const camera = await fakeCamera(t, { redirect: (_, self) => `${self}/loop` });
    await assertFault(camera.url('/loop'), 'redirect', /redirects (in a circle|again and again)/);
  });

  it('is given up if it answers too slowly to be asked first', async (t) => {
    const camera = await fakeCamera(t, { redirect: (_, self) => `${self}/loop`, describeDelayMs: 1500 });
    await assertFault(camera.url('/loop'), 'redirect', /redirects again and again, at last to rtsp:/);
    assert.ok(camera.requests.filter((line) => line.startsWith('DESCRIBE')).length <= 8);
  });

  it('five times, finally to another camera, gives pictures of that one', async (t) => {
    const last = await fakeCamera(t, { digest: ['MD5'] });
    const first = await fakeCamera(t, {
      redirect: (from, self) => {
        const step = Number(from.slice(1));
        return step < 5 ? `${self}/${step + 1}` : last.url('/stream');
      },
    });
    await assertPictures(streamOf(first.url('/1', 'admin:secret')));
    assert.ok(last.requests.includes(`SETUP ${last.url('/stream')}/video`));
  });

  for (const [what, location] of [
    ['a file', 'file:///etc/passwd'],
    ['a web page', 'http://127.0.0.1:1/login?token=secret'],
    ['a text with a quotation mark', "rtsp://127.0.0.1/a'\noption x y"],
  ] as const)
    it(`to ${what} is not followed`, async (t) => {
      const camera = await fakeCamera(t, { redirect: () => location.replace('\n', ' ') });
      await assertFault(camera.url(), 'redirect', /which is not an RTSP address/);
    });
});
