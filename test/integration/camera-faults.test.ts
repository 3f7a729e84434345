/** The camera actor with failing small programs as its ffmpeg: each fault is distinguished, and the feed is reopened. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CameraSpec } from '../../src/config/topology';
import { until } from '../../lab/until';
import { openCamera, URL_WITH_PASSWORD } from '../../lab/scripted-camera';

describe('a camera', () => {
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
    it(`waits with "${code}" if ffmpeg does ${JSON.stringify(program.slice(0, 40))}`, async (t) => {
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

  it('reports that keyframes of a codec cannot be stored', async (t) => {
    const bench = await openCamera(t, 'picture 7 0 vp9; exec sleep 60', { format: 'keyframe' });
    await until('waiting', () => bench.states().some(({ state }) => state === 'waiting'));
    const fault = bench.states().find(({ state }) => state === 'waiting')?.fault;
    assert.equal(fault?.code, 'unsupported-codec');
    assert.match(fault.message, /^rtsp:\/\/cam\/live: its vp9 video cannot be used for "keyframe" pictures/);
  });

  it('detects a stall after stallMs even before connectMs have passed', async (t) => {
    const bench = await openCamera(t, 'picture 7; exec sleep 60', { stallMs: 100, connectMs: 1500 });
    await until('waiting', () => bench.states().some(({ state }) => state === 'waiting'));
    const [picture, stall] = ['streaming', 'waiting'].map(
      (name) => bench.states().find(({ state }) => state === name)?.sinceMs ?? 0,
    );
    const afterMs = (stall ?? 0) - (picture ?? 0);
    assert.ok(afterMs < 1000, `noticed after ${afterMs} ms`);
  });
});
