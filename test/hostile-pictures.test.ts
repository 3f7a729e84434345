/** Pictures of an absurd size over real HTTP, read by the camera with the real ffmpeg: refused, told, and survived. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import startCamera from '../src/actors/camera';
import type { ActorReport } from '../src/protocol/messages';
import { descendants } from './support/daemon';
import { CLIP_DEFAULTS } from './support/feeds/clips';
import { startMjpegServer, type MjpegServer } from './support/feeds/http';
import { waitUntil } from './support/process';

const { width, height } = CLIP_DEFAULTS;
const DEADLINE_MS = 45_000;
/** What ffmpeg may have at most while a picture does not end: 49 MB of it are there before the first byte. */
const MAX_FFMPEG_MB = 200;
/** An endless picture fills this in a fifth of a second. */
const LOOK_MS = 20;

/** The most memory any ffmpeg below this process has had at once, megabytes, as often as it is looked at. */
function watchFfmpegs(t: TestContext): { mostMb: () => number } {
  let most = 0;
  const timer = setInterval(() => {
    for (const pid of descendants(process.pid)) most = Math.max(most, peakMb(pid));
  }, LOOK_MS);
  t.after(() => {
    clearInterval(timer);
  });
  return { mostMb: () => most };
}

function peakMb(pid: number): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    return /^Name:\s*ffmpeg$/m.test(status) ? Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? 0) / 1024 : 0;
  } catch {
    return 0; // it ended while we looked
  }
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
        stallMs: 3000,
        maxDelayMs: 5000,
        frozenMs: 0,
        connectMs,
      },
      ffmpeg: 'ffmpeg',
      spoolDir: path.join(dir, 'spool'),
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

describe('a camera that is sent', { concurrency: true }, () => {
  let http: MjpegServer;
  before(async () => {
    http = await startMjpegServer({ fps: 10 });
  });
  after(() => http.stop());

  it('JPEGs of 20,000x20,000 among sound ones loses the giants, says so and keeps the others', async (t) => {
    const camera = await openCamera(t, http.url('/giants'));
    await waitUntil('giants lost', () => camera.gaps().includes('picture-too-large'), DEADLINE_MS);
    const before = camera.frames().length;
    await waitUntil('sound pictures behind them', () => camera.frames().length > before + 5, DEADLINE_MS);
    for (const frame of camera.frames()) assert.deepEqual([frame.width, frame.height], [width, height]);
    assert.ok(Number(camera.lost()) > 0);
    assert.deepEqual(camera.faults(), [], 'the feed stays open');
  });

  it('a JPEG that never ends gives the feed up for it, and takes sound pictures from the next', async (t) => {
    const ffmpegs = watchFfmpegs(t);
    const camera = await openCamera(t, http.url('/endless'));
    await waitUntil('a fault', () => camera.faults().length > 0, DEADLINE_MS);
    const before = camera.frames().length;
    await waitUntil('sound pictures behind it', () => camera.frames().length > before + 5, DEADLINE_MS);
    assert.deepEqual(camera.faults(), ['picture-too-large']);
    assertBounded(t, ffmpegs.mostMb());
    for (const frame of camera.frames().slice(before))
      assert.deepEqual([frame.width, frame.height, frame.verdict?.kind], [width, height, 'healthy']);
  });

  it('nothing but JPEGs that never end gives them up in time, and has taken no more memory', async (t) => {
    const ffmpegs = watchFfmpegs(t);
    const camera = await openCamera(t, http.url('/endless/always'), 5000);
    await waitUntil('a fault', () => camera.faults().length > 0, DEADLINE_MS);
    assert.ok(['no-picture', 'picture-too-large'].includes(camera.faults()[0] ?? ''), camera.faults()[0]);
    assertBounded(t, ffmpegs.mostMb());
    assert.deepEqual(camera.frames(), []);
  });
});

function assertBounded(t: TestContext, mostMb: number): void {
  t.diagnostic(`ffmpeg had ${mostMb.toFixed(0)} MB at most`);
  assert.ok(mostMb > 20 && mostMb < MAX_FFMPEG_MB, `${mostMb.toFixed(0)} MB`);
}
