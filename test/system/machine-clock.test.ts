/** A machine whose clock begins in 1970 and is set later, as on a Raspberry Pi; simulated by a `Date` that tests set. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { clip } from '../../lab/feeds/clips';
import { startRtspServer, type RtspServer } from '../../lab/feeds/rtsp';
import { waitUntil } from '../../lab/process';

const FIXTURE = path.resolve(__dirname, '../fixtures/settable-clock.cjs');
const DEADLINE_MS = 60_000;
const HOUR_MS = 3_600_000;

describe("this machine's clock", () => {
  const namespace = newNamespace();
  const folder = mkdtempSync(path.join(tmpdir(), 'vigil-clock-'));
  const file = path.join(folder, 'offset');
  let server: RtspServer;
  let events: Listener;
  let daemon: Daemon;
  const setClock = (offsetMs: number) => writeFileSync(file, String(offsetMs));

  before(async () => {
    setClock(60_000 - Date.now());
    server = await startRtspServer({ mounts: { '/a': { clip: await clip(), codec: 'h264', fps: 10 } } });
    events = await listen(namespace);
    daemon = startDaemon({
      config: { namespace, ...remoteServers(), cameras: [{ id: 'gate', url: server.url('/a') }] },
      env: { NODE_OPTIONS: `--require=${FIXTURE}`, NODE_VIGIL_CLOCK_FILE: file },
    });
    await events.gotFrames('gate', 3);
  });

  after(async () => {
    await events.close();
    await daemon.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const isTakenFromCamera = (sinceMs: number) =>
    waitUntil(
      "capture times by the camera's clock",
      () => events.frames('gate').some(({ clock, capturedAt }) => clock === 'camera' && capturedAt > sinceMs),
      DEADLINE_MS,
    );

  test('that began in 1970 is reported as wrong, and pictures are marked; no camera is blamed', async () => {
    const { level, code } = await daemon.said(
      /this machine's clock says 1970-01-01T00:0\dZ, before this version/,
    );
    assert.deepEqual([level, code], ['warn', 'clock-unset']);
    assert.match((await daemon.status()).clockUnset ?? '', /is wrong/);
    assert.ok(events.frames('gate').every(({ clockUnset }) => clockUnset === true));
    await waitUntil(
      "the camera's clock",
      () => events.frames('gate').some(({ clockSkewMs = 0 }) => clockSkewMs > 50 * 365 * 24 * HOUR_MS),
      DEADLINE_MS,
    );
  });

  test("that is then set causes no gap, and the camera's clock is known at once", async () => {
    const since = Date.now();
    setClock(0);
    await isTakenFromCamera(since);
    assert.ok(
      events
        .frames('gate')
        .every(
          ({ clockUnset, capturedAt }) => clockUnset === (capturedAt < since - HOUR_MS ? true : undefined),
        ),
    );
    assert.equal((await daemon.status()).clockUnset, undefined);
    assert.equal(
      daemon.log.find(({ code }) => code === 'clock-insane'),
      undefined,
    );
  });

  test('that is set forward is reported as the one that differs; set back, it agrees with the camera at once', async () => {
    setClock(7 * HOUR_MS);
    const { message } = await daemon.said(/its clock is 25\d{6} ms behind/);
    assert.match(message, /since this machine's was set forward by 25\d{6} ms/);
    setClock(0);
    await daemon.said(/its clock agrees with this machine's again/);
    const since = Date.now();
    await isTakenFromCamera(since);
    const reasons = events.gaps('gate').map(({ reason, missed }) => `${reason} ${missed}`);
    assert.ok(
      events.gaps('gate').every(({ missed }) => missed < 60),
      reasons.join(),
    );
    assert.ok(!reasons.some((reason) => reason.startsWith('clock-set')));
  });
});
