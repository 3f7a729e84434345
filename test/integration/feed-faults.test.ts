/** The faults of feeds that do not open, with the real ffmpeg and real misbehaving servers. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { CameraClock } from '../../src/actors/camera/clock/camera-clock';
import { FeedAdaptation } from '../../src/actors/camera/capture/adaptation';
import { captureFeed } from '../../src/actors/camera/capture/capture';
import { LinkDelay } from '../../src/actors/camera/clock/link-delay';
import { SamplePlan } from '../../src/actors/camera/sampling/sample-plan';
import { Fault } from '../../src/fault/fault';
import { clip, CLIP_DEFAULTS } from '../../lab/feeds/clips';
import { startMjpegServer, type MjpegServer } from '../../lab/feeds/mjpeg-server';
import { startRtspServer, type RtspServer } from '../../lab/feeds/rtsp';
import { startScriptedRtsp, type RtspMethod, type ScriptedRtsp } from '../../lab/feeds/scripted-rtsp';
import { cameraSpec } from '../../lab/camera-spec';

/** Opens the feed and waits for the fault that ends it. */
async function faultOf(url: string, transport: 'tcp' | 'udp' = 'tcp'): Promise<Fault> {
  const camera = cameraSpec({ source: { kind: 'stream', url, transport }, connectMs: 8000 });
  const ignore = () => undefined;
  const outcome = { onPicture: ignore, onLost: ignore, onStream: ignore, onClock: ignore, onStderr: ignore };
  const [clock, delay] = [new CameraClock(), new LinkDelay(camera.maxDelayMs)];
  const { learned } = new FeedAdaptation(camera);
  const options = { camera, clock, delay, learned, ffmpeg: 'ffmpeg', plan: new SamplePlan(1000) };
  const error = await captureFeed({ ...options, ...outcome }, AbortSignal.timeout(40_000)).then(
    () => assert.fail('it did not end by itself'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Fault, String(error));
  return error;
}

/** More ffmpegs started at once would delay each other past the deadlines. */
const AT_ONCE = 5;

describe('a feed that does not open', { concurrency: AT_ONCE }, () => {
  let guarded: RtspServer;
  let http: MjpegServer;
  const scripted = new Map<string, ScriptedRtsp>();
  const closing: (() => Promise<unknown>)[] = [];
  const scripts: Record<string, Partial<Record<RtspMethod, string>>> = {
    full: { DESCRIBE: '453 Not Enough Bandwidth' },
    busy: { SETUP: '503 Service Unavailable' },
    'tcp only': { SETUP: '461 Unsupported Transport' },
    picky: { DESCRIBE: '400 Bad Request' },
    'held by another': { PLAY: '455 Method Not Valid in This State' },
    broken: { DESCRIBE: '500 Internal Server Error' },
    mute: { DESCRIBE: 'silence' },
    'without media': {},
  };

  before(async () => {
    const mount = { clip: await clip(), codec: 'h264', fps: CLIP_DEFAULTS.fps } as const;
    guarded = await startRtspServer({ mounts: { '/cam': mount }, username: 'viewer', password: 'secret' });
    http = await startMjpegServer();
    closing.push(
      () => guarded.stop(),
      () => http.stop(),
    );
    for (const [name, answers] of Object.entries(scripts)) {
      const server = await startScriptedRtsp(answers);
      scripted.set(name, server);
      closing.push(() => server.stop());
    }
  });
  after(() => Promise.all(closing.map((close) => close())));

  const camera = (name: string) => () => scripted.get(name)?.url('/cam') ?? '';
  const tls = (url: string) => url.replace(/^(rtsp|http):/, '$1s:');
  const wrong = (url: string) => url.replace('://', '://viewer:hush@');

  const rows: readonly [string, () => string, string, RegExp, 'udp'?][] = [
    ['with a wrong password', () => wrong(guarded.url('/cam')), 'unauthorized', /check "username" and "pass/],
    ['over HTTP with a wrong password', () => wrong(http.url('/private/x')), 'unauthorized', /"password"/],
    ['of a path there is not', () => guarded.url('/no', true), 'not-found', /check the path of the URL/],
    ['of an HTTP path there is not', () => http.url('/404'), 'not-found', /check the path of the URL/],
    ['of a full camera', camera('full'), 'too-many-sessions', /close other clients.*only one/],
    ['of a busy camera', camera('busy'), 'too-many-sessions', /close other clients.*only one/],
    ['of a camera that serves one', camera('held by another'), 'rejected', /no other client holds/],
    ['with a transport not offered', camera('tcp only'), 'transport', /set "transport" to "auto"/, 'udp'],
    ['of a camera that wants another path', camera('picky'), 'rejected', /check path and query/],
    ['of a broken camera', camera('broken'), 'server-error', /look at the camera itself/],
    ['of a camera that never answers', camera('mute'), 'silent', /does not answer within 8000 ms/],
    ['without media', camera('without media'), 'silent', /sends nothing of it within 8000 ms/],
    ['without media over UDP', camera('without media'), 'udp-blocked', /let UDP through.*"auto"$/, 'udp'],
    ['that speaks no TLS', () => tls(guarded.url('/cam')), 'tls', /serves the encrypted protocol/],
    ['over HTTP that speaks no TLS', () => tls(http.url('/x')), 'tls', /serves the encrypted protocol/],
    ['that is a web page', () => http.url('/html'), 'not-a-stream', /check that the URL is that of a stream/],
  ];
  for (const [what, url, code, toDo, transport] of rows)
    it(`${what} is "${code}", with advice`, async () => {
      const fault = await faultOf(url(), transport);
      assert.equal(fault.code, code, fault.message);
      assert.match(fault.message, toDo);
      assert.match(fault.message, /^(rtsps?|https?):\/\/127\.0\.0\.1:\d+\/\S* /);
      assert.doesNotMatch(fault.message, /hush|secret|viewer:|\n/);
    });

  it('on a port without a listener is "refused"', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    for (const scheme of ['rtsp', 'http', 'rtmp'])
      assert.equal((await faultOf(`${scheme}://127.0.0.1:${port}/a/b`)).code, 'refused');
  });
});
