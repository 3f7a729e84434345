/** RTSP cameras whose UDP packets are lost: losses are counted and reported, and TCP is used if allowed. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import startCamera from '../../src/actors/camera/actor';
import type { CameraSource, CameraSpec } from '../../src/config/topology';
import type { ActorReport } from '../../src/protocol/messages';
import { cameraSpec } from '../../lab/camera-spec';
import { waitUntil } from '../../lab/process';
import { fakeCamera, streamOf } from '../../lab/feeds/rtsp-look';

describe('an RTSP camera whose UDP packets are lost', { concurrency: true }, () => {
  async function open(t: TestContext, source: CameraSource, changes: Partial<CameraSpec> = {}) {
    const dir = await mkdtemp(path.join(tmpdir(), 'vigil-loss-'));
    const reports: ActorReport[] = [];
    const lines: string[] = [];
    const write = (message: string) => lines.push(message);
    const actor = startCamera({
      parameters: {
        camera: cameraSpec({ source, ...changes }),
        ...{ ffmpeg: 'ffmpeg', spoolDir: path.join(dir, 'spool'), minFreeBytes: 0 },
      },
      log: { error: write, warn: write, info: write, debug: () => undefined },
      report: (report) => reports.push(report),
    });
    t.after(async () => {
      await actor.stop();
      await rm(dir, { recursive: true, maxRetries: 5 });
    });
    const frames = () => reports.flatMap((report) => (report.kind === 'frame' ? [report.frame] : []));
    return { lines, frames, facts: () => actor.progress().facts };
  }

  it('counts and reports them, and marks the pictures', async (t) => {
    const fake = await fakeCamera(t, { loseEvery: 40 });
    const camera = await open(t, streamOf(fake.url(), 'udp'), { sampling: 'all' });
    await waitUntil('it is reported', () => camera.lines.some((line) => /were lost/.test(line)), 40_000);
    const said = camera.lines.filter((line) => /were lost/.test(line));
    assert.match(
      said.join(),
      /^\d+ of some \d+ UDP packets \(\d\.\d+ %\) were lost or came too late in the last \d+ s;/,
    );
    assert.equal(said.length, 1);
    assert.ok(Number(camera.facts()['rtpLost']) >= 4);
    assert.ok(camera.frames().some(({ verdict }) => verdict?.kind === 'torn'));
  });

  it('switches to TCP with "transport": "auto" when the loss continues', async (t) => {
    const fake = await fakeCamera(t, { loseEvery: 40 });
    const camera = await open(t, { ...streamOf(fake.url(), 'udp'), orTcp: true } as CameraSource);
    await waitUntil('TCP', () => String(camera.facts()['transport']).startsWith('tcp'), 40_000);
    assert.match(String(camera.facts()['transport']), /^tcp \(\d+ of some \d+ UDP packets \(.* were lost/);
    const frames = camera.frames().length;
    await waitUntil('pictures', () => camera.frames().length >= frames + 3, 20_000);
    assert.ok(
      camera
        .frames()
        .slice(frames + 1)
        .every(({ verdict }) => verdict?.kind === 'healthy'),
    );
  });
});
