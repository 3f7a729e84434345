/** Pictures of an absurd size over real HTTP, read by the camera: refused, reported and survived. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import startCamera from '../../src/actors/camera/actor';
import type { ActorReport } from '../../src/protocol/messages';
import { CLIP_DEFAULTS } from '../../lab/feeds/clips';
import { startMjpegServer, type MjpegServer } from '../../lab/feeds/mjpeg-server';
import { waitUntil } from '../../lab/process';

const { width, height } = CLIP_DEFAULTS;
const DEADLINE_MS = 45_000;
/** The extra memory that this process, both camera and server, may use while a picture does not end. */
const MAX_MORE_MB = 300;
/** An endless picture fills its limit in half a second. */
const LOOK_MS = 20;

/** Samples the memory of this process; `mostMb` is the highest value above the present one, in megabytes. */
function watchMemory(t: TestContext): { mostMb: () => number } {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, LOOK_MS);
  t.after(() => clearInterval(timer));
  return { mostMb: () => (most - before) / 2 ** 20 };
}

async function openCamera(t: TestContext, url: string, connectMs = 10_000) {
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-hostile-'));
  const reports: ActorReport[] = [];
  const ignore = () => undefined;
  const actor = startCamera({
    parameters: {
      camera: {
        id: 'gate',
        source: { kind: 'stream', url, transport: 'tcp' },
        periodMs: 200,
        format: 'jpeg',
        quality: 80,
        sampling: 'auto',
        deinterlace: true,
        stallMs: 3000,
        maxDelayMs: 5000,
        frozenMs: 0,
        connectMs,
        retryMs: 30_000,
      },
      ffmpeg: 'ffmpeg',
      spoolDir: path.join(dir, 'spool'),
      minFreeBytes: 0,
    },
    log: { error: ignore, warn: ignore, info: ignore, debug: ignore },
    report: (report) => reports.push(report),
  });
  t.after(async () => {
    await actor.stop();
    await rm(dir, { recursive: true, maxRetries: 5 });
  });
  const frames = () => reports.flatMap((report) => (report.kind === 'frame' ? [report.frame] : []));
  return {
    frames,
    lost: () => actor.progress().facts['lost'] ?? 0,
    gaps: () => reports.flatMap((report) => (report.kind === 'gap' ? [report.gap.reason] : [])),
    faults: () =>
      reports.flatMap((report) => (report.kind === 'camera-state' ? (report.state.fault?.code ?? []) : [])),
  };
}

describe('a camera that is sent', () => {
  let http: MjpegServer;
  before(async () => {
    http = await startMjpegServer({ fps: 10 });
  });
  after(() => http.stop());

  it('JPEGs of 20,000x20,000 among sound ones loses the giants, says so and keeps the others', async (t) => {
    const camera = await openCamera(t, http.url('/giants'));
    await waitUntil('giants lost', () => camera.gaps().includes('picture-too-large'), DEADLINE_MS);
    const before = camera.frames().length;
    await waitUntil('sound pictures after them', () => camera.frames().length > before + 5, DEADLINE_MS);
    for (const frame of camera.frames()) assert.deepEqual([frame.width, frame.height], [width, height]);
    assert.ok(Number(camera.lost()) > 0);
    assert.deepEqual(camera.faults(), [], 'the feed stays open');
  });

  it('a JPEG that never ends gives up that feed, and gets sound pictures from the next', async (t) => {
    const memory = watchMemory(t);
    const camera = await openCamera(t, http.url('/endless'));
    await waitUntil('a fault', () => camera.faults().length > 0, DEADLINE_MS);
    const before = camera.frames().length;
    await waitUntil('sound pictures after it', () => camera.frames().length > before + 5, DEADLINE_MS);
    assert.deepEqual(camera.faults(), ['picture-too-large']);
    assertBounded(t, memory.mostMb());
    for (const frame of camera.frames().slice(before))
      assert.deepEqual([frame.width, frame.height, frame.verdict?.kind], [width, height, 'healthy']);
  });

  it('only JPEGs that never end gives each feed up in time, within the same memory', async (t) => {
    const memory = watchMemory(t);
    const camera = await openCamera(t, http.url('/endless/always'), 5000);
    await waitUntil('a fault', () => camera.faults().length > 0, DEADLINE_MS);
    assert.ok(['no-picture', 'picture-too-large'].includes(camera.faults()[0] ?? ''), camera.faults()[0]);
    assertBounded(t, memory.mostMb());
    assert.deepEqual(camera.frames(), []);
  });
});

function assertBounded(t: TestContext, mostMb: number): void {
  t.diagnostic(`${mostMb.toFixed(0)} MB more at most`);
  assert.ok(mostMb < MAX_MORE_MB, `${mostMb.toFixed(0)} MB`);
}
