/** Fallbacks of a camera, tested with real RTSP servers: TCP instead of UDP, software instead of hardware. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import startCamera from '../../src/actors/camera/actor';
import type { CameraSpec } from '../../src/config/topology';
import type { ActorReport } from '../../src/protocol/messages';
import { cameraSpec } from '../../lab/camera-spec';
import { clip, CLIP_DEFAULTS } from '../../lab/feeds/clips';
import { startRtspServer, type RtspServer } from '../../lab/feeds/rtsp';
import { startUdpFirewall } from '../../lab/feeds/udp-firewall';
import type { Listening } from '../../lab/loopback-server';
import { waitUntil } from '../../lab/process';

async function openCamera(t: TestContext, url: string, changes: Partial<CameraSpec> = {}) {
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-transport-'));
  const reports: ActorReport[] = [];
  const lines: string[] = [];
  const write = (message: string) => lines.push(message);
  const actor = startCamera({
    parameters: {
      camera: cameraSpec({
        source: { kind: 'stream', url, transport: 'udp', orTcp: true },
        format: 'keyframe',
        ...changes,
      }),
      ffmpeg: 'ffmpeg',
      spoolDir: path.join(dir, 'spool'),
      minFreeBytes: 0,
    },
    log: { error: write, warn: write, info: write, debug: () => undefined },
    report: (report) => reports.push(report),
  });
  t.after(async () => {
    await actor.stop();
    await rm(dir, { recursive: true, maxRetries: 5 });
  });
  const states = () => reports.flatMap((report) => (report.kind === 'camera-state' ? [report.state] : []));
  return {
    lines,
    states: () => states().map(({ state }) => state),
    transport: () => actor.progress().facts['transport'],
    decoding: () => actor.progress().facts['decoding'],
    frames: () => reports.flatMap((report) => (report.kind === 'frame' ? [report.frame] : [])),
    streams: (times = 1) =>
      waitUntil(
        `streaming ${times} times`,
        () => states().filter(({ state }) => state === 'streaming').length === times,
        30_000,
      ),
  };
}

describe('"transport": "auto"', { concurrency: true }, () => {
  let server: RtspServer;
  let firewall: Listening;
  before(async () => {
    const mount = { clip: await clip(), codec: 'h264', fps: CLIP_DEFAULTS.fps } as const;
    server = await startRtspServer({ mounts: { '/cam': mount, '/tcp': { ...mount, tcpOnly: true } } });
    firewall = await startUdpFirewall(server.port);
  });
  after(async () => {
    await firewall.stop();
    await server.stop();
  });

  it('stays with UDP if packets arrive', async (t) => {
    const camera = await openCamera(t, server.url('/cam'));
    await camera.streams();
    assert.equal(camera.transport(), 'udp');
    assert.deepEqual([camera.states(), camera.lines], [['connecting', 'streaming'], []]);
  });

  it('falls back to TCP if UDP is blocked, says so once, and stays with it', async (t) => {
    const behind = `rtsp://127.0.0.1:${firewall.port}/cam`;
    const camera = await openCamera(t, behind);
    await camera.streams();
    assert.equal(camera.transport(), 'tcp (none of its UDP packets arrived)');
    assert.deepEqual(camera.states(), ['connecting', 'streaming'], 'without a pause');
    assert.deepEqual(camera.lines, ['is received over tcp (none of its UDP packets arrived)']);
    await firewall.stop();
    await waitUntil('it connects once more', () => camera.states().slice(2).includes('connecting'));
    assert.equal(camera.transport(), 'tcp (none of its UDP packets arrived)');
  });

  it('uses TCP at once if the camera offers no UDP', async (t) => {
    const camera = await openCamera(t, server.url('/tcp'));
    await camera.streams();
    assert.equal(camera.transport(), 'tcp (it does not offer UDP)');
    assert.deepEqual(camera.states(), ['connecting', 'streaming']);
  });

  it('does not change the transport after a fault that TCP does not fix', async (t) => {
    const camera = await openCamera(t, server.url('/nope'));
    await waitUntil('waiting', () => camera.states().includes('waiting'));
    assert.deepEqual(camera.states(), ['connecting', 'waiting']);
    assert.match(camera.lines.join(), /no stream of that path/);
    assert.equal(camera.transport(), 'udp');
  });
});

describe('"hwaccel"', () => {
  let server: RtspServer;
  before(async () => {
    const mount = { clip: await clip(), codec: 'h264', fps: CLIP_DEFAULTS.fps } as const;
    server = await startRtspServer({ mounts: { '/cam': mount } });
  });
  after(() => server.stop());

  // VideoToolbox is Apple's: no Linux has it, whatever its hardware.
  it("that does not start is replaced by software at once, with ffmpeg's message in log and facts", async (t) => {
    const source = { kind: 'stream', url: server.url('/cam'), transport: 'tcp' } as const;
    const camera = await openCamera(t, '', { source, format: 'jpeg', hwaccel: 'videotoolbox' });
    await waitUntil('pictures', () => camera.frames().length >= 3, 30_000);
    const decoding = String(camera.decoding());
    assert.match(decoding, /^software \(videotoolbox does not start: ffmpeg said: .{10,}\)$/);
    const told = camera.lines.filter((line) => line.startsWith('is '));
    assert.deepEqual(told, [`is decoded by ${decoding}`]);
    assert.deepEqual(camera.states(), ['connecting', 'streaming'], camera.lines.join('\n'));
    assert.equal(camera.frames()[0]?.format, 'jpeg');
  });
});
