/** Cameras whose sender reports carry a correct, a slightly wrong or an absurd time, from the report to the message. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { FrameSampled } from '../../src/contract/message';
import { findFfmpeg } from '../../src/supervisor/ffmpeg-program';
import { startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { clip } from '../../lab/feeds/clips';
import { startRtspServer, type RtspServer } from '../../lab/feeds/rtsp';
import { startShiftedClock, type ShiftedClock } from '../../lab/feeds/shifted-clock';
import { waitUntil } from '../../lab/process';

const HOUR_MS = 3_600_000;
/** The delay from the report's time to the arrival on a busy machine, and the jitter of arrivals. */
const TOLERANCE_MS = 150;
/** Three reports, each delivered with the next keyframe, and the approach at a twentieth of the elapsed time. */
const DEADLINE_MS = 60_000;

/** Whether ffmpeg's filter_units supports a codec; without it the camera's clock stays unknown. */
function cutsDown(codec: string): boolean {
  const ffmpeg = findFfmpeg(undefined) ?? 'ffmpeg';
  return execFileSync(ffmpeg, ['-v', 'error', '-h', 'bsf=filter_units'], { encoding: 'utf8' }).includes(
    codec,
  );
}

type FrameData = FrameSampled['data'];

describe('the clock of a camera', () => {
  const namespace = newNamespace();
  let server: RtspServer;
  let hevc: ShiftedClock;
  let ahead: ShiftedClock;
  let absurd: ShiftedClock;
  let events: Listener;
  let daemon: Daemon;

  before(async () => {
    const mounts = {
      '/h264': { clip: await clip(), codec: 'h264', fps: 10 },
      '/h265': { clip: await clip({ codec: 'h265' }), codec: 'h265', fps: 10 },
      '/mjpeg': { clip: await clip({ codec: 'mjpeg' }), codec: 'mjpeg', fps: 10 },
    } as const;
    server = await startRtspServer({ mounts });
    hevc = await startShiftedClock(server.port, -200);
    ahead = await startShiftedClock(server.port, 300);
    absurd = await startShiftedClock(server.port, HOUR_MS);
    events = await listen(namespace);
    const url = (port: number, path: string) => `rtsp://127.0.0.1:${port}${path}`;
    daemon = startDaemon({
      config: {
        namespace,
        ...remoteServers(),
        cameras: [
          { id: 'udp', url: server.url('/h264'), transport: 'udp' },
          { id: 'mjpeg', url: server.url('/mjpeg') },
          { id: 'behind', url: url(hevc.port, '/h265') },
          { id: 'ahead', url: url(ahead.port, '/h264') },
          { id: 'absurd', url: url(absurd.port, '/h264') },
          { id: 'synthetic', test: 'testsrc2', width: 320 },
        ],
      },
    });
    await daemon.said(/^ready/);
  });

  after(async () => {
    await events.close();
    await daemon.stop();
    await Promise.all([hevc, ahead, absurd, server].map((one) => one.stop()));
  });

  const gotFrame = async (camera: string, is: (frame: FrameData) => boolean): Promise<FrameData> => {
    await waitUntil(`a frame of ${camera} like that`, () => events.frames(camera).some(is), DEADLINE_MS);
    return events.frames(camera).find(is) ?? assert.fail();
  };
  const isNear = (actual: number | undefined, expected: number) =>
    assert.ok(Math.abs((actual ?? NaN) - expected) <= TOLERANCE_MS, `${String(actual)} ms`);
  /** Capture times rise with the sequence, about a period apart, and no period is missing. */
  const runsSteadily = (camera: string) => {
    const frames = events.frames(camera).sort((a, b) => a.sequence - b.sequence);
    for (const [i, frame] of frames.slice(1).entries()) {
      const before = frames[i] ?? frame;
      assert.equal(frame.sequence, before.sequence + 1, camera);
      const stepMs = frame.capturedAt - before.capturedAt;
      assert.ok(stepMs >= 450 && stepMs <= 1600, `${camera}: ${stepMs} ms`);
    }
  };

  for (const [camera, skewMs] of [
    ['udp', 0],
    ['mjpeg', 0],
    ['behind', -200],
    ['ahead', 300],
  ] as const)
    test(`that is sane (${camera}) sets the capture times: ${skewMs} ms from the arrival`, async (t) => {
      if (camera === 'mjpeg' && !cutsDown('mjpeg')) {
        t.skip('this ffmpeg cannot cut pictures of MJPEG down: their capture times are arrivals');
        return;
      }
      const { capturedAt, clockSkewMs } = await gotFrame(camera, ({ clock }) => clock === 'camera');
      isNear(clockSkewMs, skewMs);
      const one = events.received.find(
        ({ event }) =>
          event.subject === camera && (event.data as Partial<FrameData>).capturedAt === capturedAt,
      );
      assert.equal(one?.event.time, new Date(capturedAt).toISOString());
      const child = await daemon.childIs(
        `camera:${camera}`,
        'its clock',
        ({ heartbeat }) => heartbeat?.facts['clock'] === 'camera',
      );
      isNear(Number(child.heartbeat?.facts['clockSkewMs']), skewMs);
      runsSteadily(camera);
    });

  test('that is an hour off is not used, and is reported in messages, status and log', async () => {
    const { capturedAt, sequence } = await gotFrame('absurd', ({ clockSkewMs }) => (clockSkewMs ?? 0) > 1000);
    const last = events.frames('absurd').at(-1);
    assert.equal(last?.clock, 'arrival');
    isNear(last.clockSkewMs, HOUR_MS);
    // By arrival: within its own period, plus jitter.
    assert.ok(Math.abs(capturedAt - 1000 * sequence - 500) <= 750, String(capturedAt));
    const { level, camera, code } = await daemon.said(/its clock is 3[56]\d{5} ms ahead of this machine's/);
    assert.deepEqual([level, camera, code], ['warn', 'absurd', 'clock-insane']);
    await daemon.childIs(
      'camera:absurd',
      'its clock',
      ({ heartbeat }) => Number(heartbeat?.facts['clockSkewMs']) > 3_500_000,
    );
    runsSteadily('absurd');
  });

  test('that is not reported leaves capture times at arrival', async () => {
    await events.gotFrames('synthetic', 5);
    for (const { clock, clockSkewMs } of events.frames('synthetic'))
      assert.deepEqual([clock, clockSkewMs], ['arrival', undefined]);
  });

  test('that is set during the capture causes no gap, no duplicate and no step back', async () => {
    await gotFrame('ahead', ({ clock }) => clock === 'camera');
    const reports = ahead.reports;
    ahead.shiftMs = -100;
    const since = Date.now();
    await gotFrame(
      'ahead',
      ({ clock, clockSkewMs = 0, capturedAt }) =>
        clock === 'camera' && capturedAt > since && Math.abs(clockSkewMs + 100) <= TOLERANCE_MS,
    );
    assert.ok(ahead.reports > reports);
    runsSteadily('ahead');
    for (const camera of ['ahead', 'behind', 'absurd', 'udp', 'mjpeg'])
      assert.deepEqual(
        events.gaps(camera).filter(({ reason }) => reason !== 'starting' && reason !== 'connecting'),
        [],
      );
  });
});
