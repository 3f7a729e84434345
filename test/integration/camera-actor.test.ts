/** The camera actor with small real programs in the place of ffmpeg: what it spools, reports, survives and ends. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import startCamera from '../../src/actors/camera/actor';
import { MAX_AHEAD_MS } from '../../src/actors/camera/clock/camera-clock';
import type { CameraSpec } from '../../src/config/topology';
import type { Frame } from '../../src/contract/frame';
import type { CameraState, Gap } from '../../src/contract/message';
import type { ActorReport } from '../../src/protocol/messages';
import type { Progress } from '../../src/protocol/progress';
import { MEMORY_BYTES, memoryFolderOf } from '../../src/spool/memory-folder';
import { spoolName } from '../../src/spool/names';
import { Spool } from '../../src/spool/spool';
import { isAlive } from '../../lab/process';
import { waitingIn } from '../../lab/delivery-bench';
import { until } from '../../lab/until';

const URL_WITH_PASSWORD = 'rtsp://u:s3cr3t@cam/live';

/** Shell functions for the programs: `picture BYTES [MS [CODEC]]` writes a packet as ffmpeg does, captured MS from now. */
const PRELUDE = `#!/bin/sh
cd "$(dirname "$0")"
echo $$ >> pids
run=$(wc -l < pids)
picture() {
  pts=$(( $(date +%s%3N) + \${2:-0} ))
  echo "#codec_id 0: \${3:-mjpeg}"
  echo "#dimensions 0: 2x1"
  echo "0, $pts, $pts, 1, $1, 0x0"
  head -c "$1" /dev/zero
}
`;

/** Programs started so far. */
function started(dir: string): number {
  const file = path.join(dir, 'pids');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

interface Bench {
  readonly dir: string;
  readonly reports: ActorReport[];
  readonly lines: string[];
  readonly frames: () => readonly Frame[];
  readonly states: () => readonly CameraState[];
  readonly gaps: () => readonly Gap[];
  readonly spool: Spool;
  /** Process ids of the programs started so far. */
  readonly pids: () => Promise<number[]>;
  readonly stop: () => Promise<void>;
  readonly facts: () => Progress['facts'];
}

/** Starts a camera whose ffmpeg is the given shell program; it reconnects after a few milliseconds. */
async function openCamera(
  t: TestContext,
  program: string,
  changes: Partial<CameraSpec> = {},
): Promise<Bench> {
  t.mock.method(Math, 'random', () => 0.02);
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-camera-'));
  const ffmpeg = path.join(dir, 'ffmpeg');
  await writeFile(ffmpeg, PRELUDE + program);
  await chmod(ffmpeg, 0o700);
  const reports: ActorReport[] = [];
  const lines: string[] = [];
  const write = (message: string) => lines.push(message);
  const spoolDir = path.join(dir, 'spool');
  const actor = startCamera({
    parameters: {
      camera: {
        id: 'gate',
        source: { kind: 'stream', url: URL_WITH_PASSWORD, transport: 'tcp' },
        periodMs: 10,
        format: 'jpeg',
        quality: 80,
        sampling: 'auto',
        deinterlace: true,
        stallMs: 10_000,
        maxDelayMs: 5000,
        frozenMs: 60_000,
        connectMs: 10_000,
        retryMs: 30_000,
        ...changes,
      },
      ffmpeg: program === '' ? path.join(dir, 'missing') : ffmpeg,
      spoolDir,
      minFreeBytes: 0,
    },
    log: { error: write, warn: write, info: write, debug: write },
    report: (report) => reports.push(report),
  });
  t.after(async () => {
    await actor.stop();
    await rm(dir, { recursive: true, maxRetries: 5 });
  });
  return {
    dir,
    reports,
    lines,
    frames: () => reports.flatMap((report) => (report.kind === 'frame' ? [report.frame] : [])),
    states: () => reports.flatMap((report) => (report.kind === 'camera-state' ? [report.state] : [])),
    gaps: () => reports.flatMap((report) => (report.kind === 'gap' ? [report.gap] : [])),
    spool: new Spool(spoolDir),
    pids: async () => {
      const text = await readFile(path.join(dir, 'pids'), 'utf8').catch(() => '');
      return text.split('\n').filter(Boolean).map(Number);
    },
    stop: () => actor.stop(),
    facts: () => actor.progress().facts,
  };
}

describe('a camera', () => {
  it('spools its samples and reports each when it is there, in the order of capture', async (t) => {
    // Those of a younger process are put later: the process before it may have been ahead.
    await until('capture times are arrivals', () => process.uptime() * 1000 > MAX_AHEAD_MS);
    const bench = await openCamera(t, 'for i in 1 2 3 4 5; do picture 7; sleep 0.1; done; exec sleep 60');
    await until('five frames', () => bench.frames().length === 5);
    assert.deepEqual(await waitingIn(bench.spool), bench.frames());
    for (const frame of bench.frames()) {
      const { camera, width, height, format, bytes } = frame;
      assert.deepEqual(
        { camera, width, height, format, bytes },
        { camera: 'gate', width: 2, height: 1, format: 'jpeg', bytes: 7 },
      );
      // By the arrival; the capture time is earlier where the packet was read late.
      assert.ok(Math.abs(frame.sequence - frame.capturedAt / 10) <= 10, JSON.stringify(frame));
      assert.deepEqual(await bench.spool.read(frame), Buffer.alloc(7));
    }
  });

  it('keeps one picture of a period', async (t) => {
    const bench = await openCamera(
      t,
      'for i in 1 2 3 4 5; do picture 7; done; sleep 1.6; picture 7; exec sleep 60',
      {
        periodMs: 1000,
      },
    );
    await until('the last', () => bench.frames().length >= 2);
    assert.equal(bench.frames().length, 2);
  });

  it('connects, streams, waits when the feed ends, and connects again', async (t) => {
    const bench = await openCamera(t, 'picture 7; exit 0');
    await until('two lives', () => bench.states().filter(({ state }) => state === 'streaming').length === 2);
    assert.deepEqual(
      bench
        .states()
        .slice(0, 5)
        .map(({ state, fault }) => [state, fault?.code]),
      [
        ['connecting', undefined],
        ['streaming', undefined],
        ['waiting', 'ended'],
        ['connecting', undefined],
        ['streaming', undefined],
      ],
    );
  });

  it('reports the seconds without pictures, with what was behind it', async (t) => {
    const bench = await openCamera(t, 'picture 7 $(( run * 1000 )); exit 0');
    await until('a gap and what is behind it', () => bench.gaps().length > 0 && bench.frames().length > 1);
    const [first, second] = bench.frames();
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(bench.gaps()[0], {
      camera: 'gate',
      firstSequence: first.sequence + 1,
      lastSequence: second.sequence - 1,
      missed: second.sequence - first.sequence - 1,
      reason: 'ended',
    });
  });

  const faults: readonly [string, string, string, Partial<CameraSpec>?][] = [
    [
      'refused',
      `echo "Impossible to open '${URL_WITH_PASSWORD}'" >&2; echo 'pipe:0: Connection refused' >&2; exit 1`,
      'rtsp://cam/live refuses connections',
    ],
    [
      'failed',
      `echo "${URL_WITH_PASSWORD}: oops" >&2; exit 1`,
      'rtsp://cam/live could not be opened; ffmpeg said: ',
    ],
    ['failed', 'exit 0', 'ffmpeg said: (nothing)'],
    ['ffmpeg', '', 'ffmpeg could not be started'],
    [
      'no-picture',
      'exec sleep 60',
      'rtsp://cam/live gave no picture within 100 ms of being opened',
      { connectMs: 100 },
    ],
    [
      'stalled',
      'picture 7; exec sleep 60',
      'rtsp://cam/live sent nothing for 100 ms',
      { stallMs: 100, connectMs: 200 },
    ],
    [
      'no-pictures',
      'case "$*" in *ivf*) echo "0, 1, 1, 1, 1, 0x0"; printf x; exec sleep 60;; esac; while :; do picture 7 0 vp8; sleep 0.03; done',
      'rtsp://cam/live sent data, but nothing that became a picture, for 300 ms',
      { stallMs: 300, connectMs: 5000 },
    ],
    [
      'no-keyframe',
      'echo "#codec_id 0: mjpeg"; while :; do echo "0, 1, 1, 1, 1, 0x0, F=0x0"; printf x; sleep 0.03; done',
      'rtsp://cam/live sent video, but no keyframe within 200 ms of being opened',
      { connectMs: 200 },
    ],
    [
      'unsupported-codec',
      'case "$*" in *ivf*) echo "Unknown decoder \'vp8\'" >&2; exit 1;; esac; picture 7 0 vp8; exec sleep 60',
      'rtsp://cam/live: its vp8 video is in a format this ffmpeg cannot decode; set the camera to H.264',
    ],
    [
      'undecodable',
      'case "$*" in *ivf*) echo oops >&2; exit 1;; esac; picture 7 0 vp8; exec sleep 60',
      'rtsp://cam/live: its vp8 video cannot be decoded; ffmpeg said: oops',
    ],
    ['bad-capture-output', 'echo hello; exec sleep 60', 'a line that was not understood: hello'],
    ['picture-too-large', 'echo "0, 1, 1, 1, 999999999, 0x0"; exec sleep 60', 'a picture of 999999999 bytes'],
  ];
  for (const [code, program, sentence, changes] of faults)
    it(`waits with "${code}" where ffmpeg does ${JSON.stringify(program.slice(0, 40))}`, async (t) => {
      const bench = await openCamera(t, program, changes);
      await until('waiting', () => bench.states().some(({ state }) => state === 'waiting'));
      const waiting = bench.states().find(({ state }) => state === 'waiting');
      assert.equal(waiting?.fault?.code, code);
      assert.ok(waiting.fault.message.includes(sentence), waiting.fault.message);
      await until(
        'connecting again',
        () => bench.states().filter(({ state }) => state === 'connecting').length > 1,
      );
      assert.doesNotMatch(JSON.stringify([bench.reports, bench.lines]), /s3cr3t/);
    });

  it('shows what troubles it in its facts until a picture comes, also while it connects again', async (t) => {
    const bench = await openCamera(t, '[ $run -gt 1 ] && { sleep 0.3; picture 7; exec sleep 60; }; exit 1');
    assert.equal(bench.facts()['fault'], undefined);
    const connects = () => bench.states().filter(({ state }) => state === 'connecting').length;
    await until('connecting again', () => connects() === 2);
    assert.equal(bench.facts()['fault'], 'failed');
    await until('streaming', () => bench.states().at(-1)?.state === 'streaming');
    assert.equal(bench.facts()['fault'], undefined);
  });

  it('stores keyframes as they come where that is asked for, in the format they have', async (t) => {
    const bench = await openCamera(
      t,
      'echo "#codec_id 0: h264"; echo "#dimensions 0: 2x1"; echo "0, 1, 1, 1, 7, 0x0"; printf "\\000\\000\\000\\001gab"; exec sleep 60',
      {
        format: 'keyframe',
      },
    );
    await until('a frame', () => bench.frames().length > 0);
    assert.deepEqual([bench.frames()[0]?.format, bench.frames()[0]?.bytes], ['h264', 7]);
    const [frame] = bench.frames();
    assert.ok(frame !== undefined);
    assert.equal((await bench.spool.read(frame))?.toString('latin1'), '\0\0\0\x01gab');
    assert.equal((await bench.pids()).length, 1, 'no decoder');
  });

  it('opens a feed without start codes once more, with a filter, and not for ever', async (t) => {
    const bench = await openCamera(
      t,
      'case "$*" in *ivf*) exec sleep 60;; esac; picture 7 0 h264; exec sleep 60',
    );
    await until('the decoder runs', () => started(bench.dir) === 3);
    assert.deepEqual(
      bench.states().map(({ state }) => state),
      ['connecting'],
      'no fault',
    );
  });

  it('says when keyframes of a codec cannot be stored', async (t) => {
    const bench = await openCamera(t, 'picture 7 0 vp9; exec sleep 60', { format: 'keyframe' });
    await until('waiting', () => bench.states().some(({ state }) => state === 'waiting'));
    const fault = bench.states().find(({ state }) => state === 'waiting')?.fault;
    assert.equal(fault?.code, 'unsupported-codec');
    assert.match(fault.message, /^rtsp:\/\/cam\/live: its vp9 video cannot be used for "keyframe" pictures/);
  });

  it('ends its ffmpeg when it stops, and reports nothing more', async (t) => {
    const bench = await openCamera(t, 'while :; do picture 7; sleep 0.01; done');
    await until('streaming', () => bench.frames().length > 2);
    const [pid] = await bench.pids();
    assert.ok(pid !== undefined && isAlive(pid));
    await bench.stop();
    assert.ok(!isAlive(pid));
    assert.equal(bench.states().at(-1)?.state, 'streaming', 'being stopped is no fault');
    const before = bench.reports.length;
    assert.equal((await waitingIn(bench.spool)).length, bench.frames().length);
    assert.equal(bench.reports.length, before);
    assert.equal((await bench.pids()).length, 1);
  });

  it('ends an ffmpeg that ignores being asked, or was stopped in its tracks', async (t) => {
    const bench = await openCamera(t, "trap '' TERM; picture 7; kill -STOP $$; while :; do sleep 0.05; done");
    await until('streaming', () => bench.frames().length === 1);
    const [pid] = await bench.pids();
    await bench.stop();
    assert.ok(pid !== undefined && !isAlive(pid));
  });

  it('ends in its pause, at once', async (t) => {
    const bench = await openCamera(t, 'exit 1');
    t.mock.method(Math, 'random', () => 1);
    await until('waiting', () => bench.states().at(-1)?.state === 'waiting');
    await bench.stop();
    assert.equal(bench.states().at(-1)?.state, 'waiting');
  });

  it('notices a stall after stallMs also while connectMs have not passed', async (t) => {
    const bench = await openCamera(t, 'picture 7; exec sleep 60', { stallMs: 100, connectMs: 1500 });
    await until('waiting', () => bench.states().some(({ state }) => state === 'waiting'));
    const [picture, stall] = ['streaming', 'waiting'].map(
      (name) => bench.states().find(({ state }) => state === name)?.sinceMs ?? 0,
    );
    const afterMs = (stall ?? 0) - (picture ?? 0);
    assert.ok(afterMs < 1000, `noticed after ${afterMs} ms`);
  });

  it('loses no picture that is still being written while the feed is opened again', async (t) => {
    const bytes = 64 * 1024 * 1024;
    const bench = await openCamera(t, `[ $run -gt 1 ] && exec sleep 60; picture ${bytes}; exit 0`);
    await until(
      'kept or not',
      () => bench.frames().length === 1 || bench.lines.some((line) => /kept/.test(line)),
    );
    assert.deepEqual(
      bench.frames().map((frame) => frame.bytes),
      [bytes],
    );
  });

  const ENDLESS =
    'picture 7; while [ ! -f gone ]; do sleep 0.01; done; while :; do picture 7; sleep 0.02; done';

  it('goes on in memory, and says so, when the disk takes no pictures', async (t) => {
    const bench = await openCamera(t, ENDLESS);
    const [folder, memory] = foldersOf(bench);
    await until('the first', () => bench.frames().length === 1);
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    await writeFile(path.join(bench.dir, 'gone'), '');
    await until('more', () => bench.frames().length > 3);
    assert.ok(bench.lines.some((line) => /buffering in memory, 64 MiB at most/.test(line)));
    assert.deepEqual(
      bench.gaps().filter(({ reason }) => reason !== 'no-picture'),
      [],
    );
    await rm(folder);
    // Said ten seconds after the last fault; a minute after it where faults came and went, as they may on a busy machine.
    await until('on disk again', () => bench.lines.some((line) => /kept on disk again/.test(line)), 150_000);
    await bench.stop();
    const waiting = await waitingIn(bench.spool);
    assert.deepEqual(waiting, bench.frames().slice(1));
    await rm(memory, { recursive: true });
  });

  it('reports the periods of pictures it could not keep as few gaps', async (t) => {
    const bench = await openCamera(t, ENDLESS);
    const [folder, memory] = foldersOf(bench);
    await until('the first', () => bench.frames().length === 1);
    const [first] = bench.frames();
    assert.ok(first !== undefined);
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    // Counted by its name.
    const full = spoolName({ ...first, camera: 'other', bytes: MEMORY_BYTES });
    await mkdir(memory, { mode: 0o700 });
    await writeFile(path.join(memory, `other.${full}`), '');
    t.after(() => rm(memory, { recursive: true }));
    await writeFile(path.join(bench.dir, 'gone'), '');
    await until(
      'some are lost',
      () => bench.gaps().filter(({ reason }) => reason !== 'no-picture').length > 1,
    );
    await rm(folder);
    await until('kept again', () => bench.frames().length > 1);
    const [, second] = bench.frames();
    assert.ok(second !== undefined);
    const gaps = bench.gaps().filter(({ lastSequence }) => lastSequence < second.sequence);
    const missed = gaps.reduce((sum, gap) => sum + gap.missed, 0);
    assert.equal(missed, second.sequence - first.sequence - 1, 'every period is a frame or in a gap');
    assert.ok(
      gaps.some((gap) => gap.missed > 1),
      'they are joined',
    );
  });
});

/** Where its pictures go on disk, and in memory when the disk takes none. */
function foldersOf({ dir }: { dir: string }): [string, string] {
  const spool = path.join(dir, 'spool');
  return [path.join(spool, 'gate'), memoryFolderOf(spool) ?? ''];
}
