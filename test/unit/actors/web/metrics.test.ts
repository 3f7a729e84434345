/** Metrics for Prometheus: by its conventions, without unknown values, and small enough for 500 cameras. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { metricsText } from '../../../../src/actors/web/metrics/metrics';
import { DaemonView } from '../../../../src/actors/web/view/daemon-view';
import type { DaemonStatus } from '../../../../src/control/protocol';
import { FigureKeeper } from '../../../../src/supervisor/figures';
import type { ChildStatus } from '../../../../src/supervisor/status';

async function textFor(count: number, withTags = false): Promise<string> {
  const now = Date.now();
  const keeper = new FigureKeeper(() => now);
  const ids = Array.from({ length: count }, (_, i) => `camera-${i}`);
  for (const camera of ids) {
    keeper.periods({ camera, periodMs: 1000 });
    keeper.captured({ camera, sequence: 1, capturedAt: now - 700 });
    keeper.captured({ camera, sequence: 2, capturedAt: now - 700 });
    keeper.delivered([{ camera, sequence: 1, delayed: false }]);
    keeper.dropped([{ camera, sequence: 2, reason: 'spool-age' }]);
    keeper.missed({ camera, firstSequence: 3, lastSequence: 6, missed: 4, reason: 'refused' });
    keeper.missed({ camera, firstSequence: 7, lastSequence: 7, missed: 1, reason: 'no-picture' });
    keeper.ended(`camera:${camera}`, 'crashed');
  }
  const children = ids.map((id, i): ChildStatus => ({
    ...{ name: `camera:${id}`, kind: 'camera', state: 'running', sinceMs: 1, pid: 10 + i, restarts: 1 },
    feed: { camera: id, state: 'streaming', sinceMs: 1 },
    delivered: { lastMinute: 60, perSecond: 1, lastAtMs: now - 1500, width: 8, height: 8, capturedAtMs: now },
    heartbeat: {
      ...{ done: 1, memoryBytes: 1, atMs: now },
      facts: {
        ...{ codec: 'h264', sampling: 'between-keyframes', keyframeIntervalMs: 2000 },
        ...{ torn: 5, 'torn-cut': 2, 'torn-packet-loss': 3, 'torn-made-up': 4, lost: 1 },
      },
    },
  }));
  const notifier: ChildStatus = {
    ...{ name: 'notifier', kind: 'notifier', state: 'running', sinceMs: 1, pid: 2, restarts: 0 },
    heartbeat: {
      ...{ done: 1, memoryBytes: 1, atMs: now },
      facts: {
        rabbitmq: 'ready',
        unconfirmed: 3,
        confirmMs: 12.5,
        queueConsumers: 2,
        'queue vigil.detection': '5 of 100000',
        'service plates': '7 of 10000, no-consumer',
        'service people': '0 of 10000, consumers 3',
        'service new': 'no queue',
      },
    },
  };
  const status = {
    ...{ pid: 1, startedAtMs: now - 60_000, ready: true, problems: [] },
    configuration: { file: 'f', appliedAtMs: 1 },
    delivery: { waiting: 4, oldestWaitingMs: 2500, lastConfirmAtMs: now - 1500 },
    children: [notifier, ...children],
  } as DaemonStatus;
  const cameras = ids.map((id) => ({ id, enabled: true, tags: ['north', 'gate'], periodMs: 1000 }));
  const view = await new DaemonView(
    { status: async () => status, cameras: async () => [...cameras, { id: 'off', enabled: false }] },
    '1',
  ).view();
  const costs = new Map([
    [1, { processorS: 100, memoryBytes: 1000 }],
    ...children.map(({ pid = 0 }) => [pid, { processorS: 1.5, memoryBytes: 20 }] as const),
  ]);
  return metricsText({ view, figures: keeper.figures, costs, nowMs: now, withTags });
}

describe('metrics', () => {
  it('have a line for each known value', async () => {
    const lines = (await textFor(1)).split('\n');
    const expected = [
      'vigil_ready 1',
      'vigil_spool_frames 4',
      'vigil_spool_oldest_age_seconds 2.5',
      'vigil_last_confirm_age_seconds 1.5',
      'vigil_server_ready{server="rabbitmq"} 1',
      'vigil_unconfirmed_messages 3',
      'vigil_server_round_trip_seconds{server="rabbitmq"} 0.0125',
      'vigil_queue_messages 5',
      'vigil_queue_consumers 2',
      'vigil_service_queue_messages{service="plates"} 7',
      'vigil_service_queue_consumers{service="plates"} 0',
      'vigil_service_queue_consumers{service="people"} 3',
      'vigil_frames_captured_total{camera="camera-0"} 2',
      'vigil_frames_confirmed_total{camera="camera-0"} 1',
      'vigil_frames_dropped_total{camera="camera-0",reason="spool-age"} 1',
      'vigil_frames_bad_total{camera="camera-0",verdict="torn",reason="cut"} 2',
      'vigil_frames_bad_total{camera="camera-0",verdict="torn",reason="packet-loss"} 3',
      'vigil_gap_seconds_total{camera="camera-0",reason="refused"} 4',
      'vigil_gap_seconds_total{camera="camera-0",reason="no-picture"} 1',
      'vigil_camera_condition{camera="camera-0",condition="delivering"} 1',
      'vigil_camera_condition{camera="off",condition="disabled"} 1',
      'vigil_sampling_period_seconds{camera="camera-0"} 1',
      'vigil_newest_confirmed_age_seconds{camera="camera-0"} 1.5',
      'vigil_camera_info{camera="camera-0",codec="h264",sampling="between-keyframes"} 1',
      'vigil_keyframe_interval_seconds{camera="camera-0"} 2',
      'vigil_actor_restarts_total{actor="camera:camera-0"} 1',
      'vigil_actor_ends_total{actor="camera:camera-0",reason="crashed"} 1',
      'vigil_process_cpu_seconds_total{actor="camera:camera-0"} 1.5',
      'vigil_process_cpu_seconds_total{actor="daemon"} 98.5',
      'vigil_process_resident_memory_bytes{actor="camera:camera-0"} 20',
      'vigil_capture_to_confirm_seconds_bucket{le="0.5"} 0',
      'vigil_capture_to_confirm_seconds_bucket{le="1"} 1',
      'vigil_capture_to_confirm_seconds_bucket{le="+Inf"} 1',
      'vigil_capture_to_confirm_seconds_sum 0.7',
      'vigil_capture_to_confirm_seconds_count 1',
    ];
    assert.deepEqual(
      expected.filter((line) => !lines.includes(line)),
      [],
      lines.filter((line) => line.startsWith('vigil_')).join('\n'),
    );
    assert.equal(lines.filter((line) => line.startsWith('vigil_frames_bad_total')).length, 2);
  });

  it('follow the naming conventions of Prometheus, with their type and help', async () => {
    const text = await textFor(2);
    for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      assert.match(name, /^vigil_[a-z_]+$/);
      assert.equal(type === 'counter', name.endsWith('_total'), name);
      assert.match(text, new RegExp(`^# HELP ${name} \\S.*\\.$`, 'm'));
      assert.doesNotMatch(name, /_ms$|_milliseconds|_minutes/);
    }
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const names = series.map((line) => line.replace(/ \S+$/, ''));
    assert.equal(new Set(names).size, names.length);
  });

  it('include the tags of cameras only if configured', async () => {
    assert.doesNotMatch(await textFor(1), /north/);
    const lines = (await textFor(1, true)).split('\n');
    const tagged = lines.filter((line) => line.startsWith('vigil_camera_tag'));
    assert.deepEqual(tagged, [
      'vigil_camera_tag{camera="camera-0",tag="north"} 1',
      'vigil_camera_tag{camera="camera-0",tag="gate"} 1',
    ]);
  });

  it('of 500 cameras are smaller than 1 MB', async () => {
    const bytes = Buffer.byteLength(await textFor(500, true));
    assert.ok(bytes > 100_000 && bytes < 1_000_000, String(bytes));
  });
});
