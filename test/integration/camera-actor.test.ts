/** The camera actor with small real programs in the place of ffmpeg: what it spools and reports, and that it ends. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_AHEAD_MS } from '../../src/actors/camera/clock/camera-clock';
import { isAlive } from '../../lab/process';
import { waitingIn } from '../../lab/delivery-bench';
import { until } from '../../lab/until';
import { openCamera, started } from '../../lab/scripted-camera';

describe('a camera', () => {
  it('spools its samples, and reports each once it is in the spool, in the order of capture', async (t) => {
    // A younger process shifts capture times later, because its predecessor may have been ahead.
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
      // The sequence follows the arrival; the capture time is earlier if the packet was read late.
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

  it('reports the seconds without pictures, with the reason', async (t) => {
    const bench = await openCamera(t, 'picture 7 $(( run * 1000 )); exit 0');
    await until('a gap with its reason', () => bench.gaps().length > 0 && bench.frames().length > 1);
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

  it('stores keyframes unchanged if configured, in their own format', async (t) => {
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

  it('reopens a feed without start codes with a filter, but not endlessly', async (t) => {
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

  it('ends an ffmpeg that ignores SIGTERM or is stopped (SIGSTOP)', async (t) => {
    const bench = await openCamera(t, "trap '' TERM; picture 7; kill -STOP $$; while :; do sleep 0.05; done");
    await until('streaming', () => bench.frames().length === 1);
    const [pid] = await bench.pids();
    await bench.stop();
    assert.ok(pid !== undefined && !isAlive(pid));
  });

  it('ends at once during its pause', async (t) => {
    const bench = await openCamera(t, 'exit 1');
    t.mock.method(Math, 'random', () => 1);
    await until('waiting', () => bench.states().at(-1)?.state === 'waiting');
    await bench.stop();
    assert.equal(bench.states().at(-1)?.state, 'waiting');
  });
});
