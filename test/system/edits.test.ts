/** What edits of cameras cost: settings are handed to the running actors. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { clip, splitJpegs } from '../../lab/feeds/clips';
import { startHlsServer } from '../../lab/feeds/hls-server';
import { startMjpegServer } from '../../lab/feeds/mjpeg-server';
import { startHttpCamera } from '../../lab/feeds/http-camera';
import { startRtspServer, type RtspServer } from '../../lab/feeds/rtsp';
import { smallVideo } from '../../lab/feeds/small-video';
import { newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { waitUntil } from '../../lab/process';

type Entry = Record<string, unknown>;

describe('edits of cameras', () => {
  const namespace = newNamespace();
  const closing: (() => unknown)[] = [];
  let events: Listener;
  let daemon: Daemon;
  let rtsp: RtspServer;
  let cameras: Entry[] = [];
  let pids: Map<string, number | undefined>;

  const config = (cameraDefaults: Entry, rest: Entry = {}) => ({
    namespace,
    ...remoteServers(),
    supervision: { parallelStarts: 2 },
    cameraDefaults,
    cameras,
    ...rest,
  });
  const processes = async () =>
    new Map((await daemon.status()).children.map(({ name, pid }) => [name, pid] as const));
  const ids = () => cameras.map(({ id }) => String(id));
  const rollOut = async (edit: Entry) => {
    const { appliedAtMs } = (await daemon.status()).configuration;
    daemon.edit(edit);
    const isApplied = async () => (await daemon.status()).configuration.appliedAtMs > appliedAtMs;
    await waitUntil('it is rolled out', isApplied, 60_000);
  };
  /** Number of periods without a picture since the first one, by the sequences of the camera's frames. */
  const missed = (id: string, from: number) => {
    const sequences = [
      ...new Set(
        events
          .frames(id)
          .slice(from)
          .map(({ sequence }) => sequence),
      ),
    ];
    const sorted = sequences.sort((a, b) => a - b);
    return sorted.flatMap((sequence, i) => {
      const before = sorted[i - 1] ?? sequence - 1;
      return sequence - before - 1 > 0 ? [sequence - before - 1] : [];
    });
  };
  const told = (id: string) => JSON.stringify([events.gaps(id).slice(-3), events.states(id).slice(-4)]);
  /** Resolves when the predicate holds for every camera. */
  const shown = async (what: string, is: (id: string) => boolean) =>
    waitUntil(what, () => ids().every(is), 40_000);
  const counts = () => new Map(ids().map((id) => [id, events.frames(id).length]));
  const more = async (count: number) => {
    const had = counts();
    await shown(
      `${count} more frames of each`,
      (id) => events.frames(id).length >= (had.get(id) ?? 0) + count,
    );
  };

  before(async () => {
    const dir = newDir();
    const h264 = await clip({ codec: 'h264' });
    const jpegs = splitJpegs(await readFile(await clip({ codec: 'mjpeg' })));
    const mounts = { '/cam': { clip: h264, codec: 'h264', fps: 10 } } as const;
    const [server, http, hls, stills] = await Promise.all([
      startRtspServer({ mounts: { ...mounts, '/other': mounts['/cam'] } }),
      startMjpegServer(),
      startHlsServer(),
      startHttpCamera((_, response, number) => {
        response.writeHead(200, { 'content-type': 'image/jpeg' }).end(jpegs[number % jpegs.length]);
      }),
    ]);
    rtsp = server;
    for (const each of [rtsp, http, hls, stills]) closing.push(() => each.stop());
    cameras = [
      { id: 'rtsp', url: rtsp.url('/cam') },
      { id: 'hls', url: hls.url('/cam.m3u8') },
      { id: 'mjpeg', url: http.url('/stream') },
      { id: 'still', still: stills.url('/snap.jpg') },
      { id: 'file', file: await smallVideo(dir, 2) },
      { id: 'synthetic', test: 'testsrc2' },
    ];
    events = await listen(namespace);
    daemon = startDaemon({ dir, config: config({}) });
    await daemon.said(/^ready/);
    for (const { id } of cameras) await events.gotFrames(String(id), 4);
    pids = await processes();
  });

  after(async () => {
    await events.close();
    await daemon.stop();
    for (const close of closing) await close();
  });

  const edits: readonly [string, Entry, (id: string, from: number) => boolean][] = [
    ['the quality', { quality: 30 }, () => true],
    [
      'the width',
      { width: 160 },
      (id, from) =>
        events
          .frames(id)
          .slice(from)
          .some(({ width }) => width === 160),
    ],
    [
      'the format',
      { width: 160, format: 'webp' },
      (id, from) =>
        events
          .frames(id)
          .slice(from)
          .some(({ format }) => format === 'webp'),
    ],
    [
      'the format, which the same decoder serves',
      { width: 160, format: 'png' },
      (id, from) =>
        events
          .frames(id)
          .slice(from)
          .some(({ format }) => format === 'png'),
    ],
    [
      'how it is sampled, and its deadlines',
      { sampling: 'all', stallMs: 7000, frozenMs: 0, maxDelayMs: 3000 },
      () => true,
    ],
    ['the transport', { transport: 'udp' }, () => true],
  ];
  for (const [what, defaults, isSeen] of edits)
    test(`of ${what} of all cameras cost no second of any, and end no process`, async () => {
      const had = counts();
      await rollOut(config(defaults));
      await shown('it is seen', (id) => isSeen(id, had.get(id) ?? 0));
      await more(2);
      for (const id of ids()) {
        const from = (had.get(id) ?? 0) - 2;
        // Frames may overtake each other on their way; one that is missing stays so.
        await waitUntil(`${id} has every second`, () => missed(id, from).length === 0, 10_000).catch(
          (error: unknown) => {
            throw new Error(`${(error as Error).message}: ${told(id)}`);
          },
        );
      }
      assert.deepEqual(await processes(), pids);
    });

  test('of the rate of all cameras cost no time of any: their periods are renumbered', async () => {
    const had = counts();
    const gaps = new Map(ids().map((id) => [id, events.gaps(id).length]));
    await rollOut(config({ rate: 2 }));
    const isFaster = (id: string) => {
      const [before, ...since] = events.frames(id).slice((had.get(id) ?? 0) - 1);
      return since.filter(({ sequence }) => sequence > 1.5 * (before?.sequence ?? Infinity)).length > 6;
    };
    await shown('twice as many pictures come', isFaster);
    const steps = (id: string, from: number) => {
      const frames = events.frames(id).slice(from);
      const times = frames.map(({ capturedAt }) => capturedAt).sort((one, other) => one - other);
      return times.slice(1).map((at, i) => at - (times[i] ?? at));
    };
    for (const id of ids()) {
      const from = (had.get(id) ?? 0) - 1;
      // Frames may overtake each other on their way; one that is missing stays so.
      const isWhole = () => Math.max(...steps(id, from)) < 1900;
      await waitUntil(`${id} has no hole`, isWhole, 10_000).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}: ${String(steps(id, from))} ${told(id)}`);
      });
      // A still picture due after the old period may leave one of the new periods empty before it.
      const missing = events
        .gaps(id)
        .slice(gaps.get(id))
        .reduce((sum, gap) => sum + gap.missed, 0);
      assert.ok(missing <= 1, `${id}: ${JSON.stringify(events.gaps(id).at(-1))}`);
    }
    assert.deepEqual(await processes(), pids);
  });

  test('of the expiry are handed to store and notifier', async () => {
    await rollOut(config({ rate: 2 }, { frames: { expireMs: 60_000 } }));
    // Nine tenths of 60 s; it was nine tenths of 120 s.
    const isNew = (life: string | undefined) => Number(life) > 50_000 && Number(life) <= 54_000;
    await waitUntil('messages live 54 s', () =>
      isNew(
        events.received.findLast(({ event }) => event.type === 'vigil.frame.sampled.v1')?.properties
          .expiration,
      ),
    );
    assert.deepEqual(await processes(), pids);
  });
});
