/** What `status` shows: the state of every child, in text and figures an operator reads at a glance. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { childText, statusText } from '../../../src/commands/status-text';
import { WIDTH } from '../../../src/commands/table';
import type { DaemonStatus } from '../../../src/control/protocol';
import type { ChildStatus } from '../../../src/supervisor/status';

const NOW = 1_700_000_000_000;

describe('the text of status', () => {
  const base = { state: 'running', sinceMs: NOW - 65_000, restarts: 0 } as const;
  const children: readonly ChildStatus[] = [
    {
      ...base,
      name: 'store',
      kind: 'store',
      pid: 71,
      heartbeat: { done: 9, facts: { redis: 'ready', queued: 0 }, memoryBytes: 52_428_800, atMs: NOW },
    },
    {
      ...base,
      name: 'camera:door',
      kind: 'camera',
      pid: 73,
      heartbeat: {
        ...{ done: 9, memoryBytes: 52_428_800, atMs: NOW },
        facts: { sampling: 'between-keyframes', codec: 'h264' },
      },
      delivered: { lastMinute: 60, perSecond: 1, lastAtMs: NOW - 400, width: 1920, height: 1080 },
      feed: { camera: 'door', state: 'streaming', sinceMs: NOW - 3_540_000 },
    },
    {
      ...base,
      name: 'camera:gate',
      kind: 'camera',
      state: 'quarantined',
      restarts: 6,
      lastFault: { code: 'crashed', message: 'ended by SIGSEGV', atMs: NOW - 3_600_000 },
    },
    {
      ...base,
      name: 'camera:yard',
      kind: 'camera',
      pid: 72,
      delivered: { lastMinute: 18, perSecond: 0.3, lastAtMs: NOW - 42_000 },
      lastFault: { code: 'hung', message: 'sent no heartbeat', atMs: NOW - 1000 },
      feed: {
        camera: 'yard',
        state: 'waiting',
        sinceMs: NOW,
        fault: { code: 'refused', message: 'rtsp://yard/: connection refused' },
      },
    },
  ];
  const daemon: DaemonStatus = {
    pid: 70,
    startedAtMs: NOW - 90_061_000,
    ready: true,
    delivery: { waiting: 0 },
    problems: [],
    configuration: { file: '/srv/actors.json', appliedAtMs: NOW },
    children,
  };

  it('has a line for each process and camera, its fault below; current problems come before an old exit', () =>
    assert.deepEqual(statusText(daemon, NOW).split('\n'), [
      'daemon 70, up 1d 1h, ready',
      'delivery: nothing confirmed yet; no frames waiting',
      'cameras: 1 of 3 streaming',
      '',
      'PROCESS  STATE    SINCE  PID  RESTARTS  MEMORY',
      'store    running  1m 5s   71         0  50 MB',
      '',
      'CAMERA  STATE        SINCE    RATE  CONFIRMED  SAMPLING  VIDEO           RESTARTS',
      'door    streaming    59m    1.00/s  0s ago     between   h264 1920x1080         0',
      'gate    quarantined  1m 5s       -  never      -         -                      6',
      '  crashed 1h ago: ended by SIGSEGV',
      'yard    waiting      0s     0.30/s  42s ago    -         -                      0',
      '  refused: rtsp://yard/: connection refused',
    ]));

  it('fits 100 columns whatever the cameras are called and whatever their faults', () => {
    const fault = { code: 'not-a-stream', message: 'rtsp://camera/ answers with text/html. '.repeat(20) };
    const camera = (id: string): ChildStatus => ({
      ...base,
      name: `camera:${id}`,
      kind: 'camera',
      restarts: 123_456,
      sinceMs: NOW - 3_599_000,
      heartbeat: {
        ...{ done: 1, memoryBytes: 1, atMs: NOW },
        facts: {
          sampling: 'between-keyframes',
          codec: 'mpeg2video',
          samplingReason: 'a long reason '.repeat(20),
        },
      },
      delivered: { lastMinute: 300, perSecond: 5, lastAtMs: NOW - 3_599_000, width: 16_384, height: 16_384 },
      feed: { camera: id, state: 'quarantined', sinceMs: NOW - 3_599_000, fault },
    });
    const wide = {
      ...daemon,
      problems: ['frames are not delivered: '.repeat(10)],
      children: [camera('c'), camera('c'.repeat(64)), ...daemon.children],
    };
    const texts = [statusText(wide, NOW), ...wide.children.map((child) => childText(child, NOW))];
    for (const line of texts.join('\n').split('\n')) assert.ok(line.length <= WIDTH, line);
    assert.match(texts[0] ?? '', /^c{64}$/m);
  });

  it('of one child is everything that is known about it', () => {
    const [, , , yard] = children;
    assert.ok(yard);
    const heartbeat = {
      done: 9,
      facts: { frames: 7, rtpLost: 3 },
      memoryBytes: 52_428_800,
      atMs: NOW - 2000,
    };
    assert.deepEqual(childText({ ...yard, heartbeat }, NOW).split('\n'), [
      'camera:yard',
      '  process         running for 1m 5s',
      '  pid             72',
      '  restarts        0',
      '  memory          50 MB',
      '  feed            waiting for 0s',
      '  fault           refused: rtsp://yard/: connection refused',
      '  last exit       hung, 1s ago: sent no heartbeat',
      '  delivered       18 frames in the last minute',
      '  last confirmed  42s ago',
      '  heartbeat       2s ago',
      '  completed       9',
      '  frames          7',
      '  rtpLost         3',
    ]);
  });

  it('reports what is wrong with an edit, and that the previous one still runs', () => {
    const faults = [
      { path: '$.cameras[0].rate', problem: 'expected number, found "1"' },
      { path: '$.redis', problem: 'is away' },
    ];
    const lines = statusText(
      { ...daemon, ready: false, configuration: { ...daemon.configuration, faults } },
      NOW,
    ).split('\n');
    assert.deepEqual(lines.slice(0, 8), [
      'daemon 70, up 1d 1h, not ready yet',
      'delivery: nothing confirmed yet; no frames waiting',
      'cameras: 1 of 3 streaming',
      '',
      '/srv/actors.json is not valid; the daemon keeps its previous configuration:',
      '  $.cameras[0].rate: expected number, found "1"',
      '  $.redis: is away',
      '',
    ]);
    assert.match(lines[8] ?? '', /^PROCESS +STATE/);
  });

  it('does not call a file invalid that only a new daemon can use', () => {
    const faults = [{ path: '$.redis', problem: 'changes only with the daemon' }];
    const configuration = { ...daemon.configuration, refusal: 'not-applied' as const, faults };
    const text = statusText({ ...daemon, configuration }, NOW);
    assert.match(
      text,
      /\/srv\/actors\.json is valid, but cannot be applied to the running daemon; the daemon keeps/,
    );
    assert.doesNotMatch(text, /not valid/);
  });

  it('reports first when a frame was last confirmed, what waits and since when, and why', () => {
    const delivery = { lastConfirmAtMs: NOW - 42_000, waiting: 120, oldestWaitingMs: 41_500 };
    const problems = ['frames are not delivered: rabbitmq does\nnot answer', 'store is waiting'];
    const configuration = { ...daemon.configuration, behind: 12 };
    const lines = statusText({ ...daemon, delivery, problems, configuration }, NOW).split('\n');
    assert.deepEqual(lines.slice(1, 7), [
      'delivery: last confirm 42s ago; 120 frames waiting, the oldest for 41s',
      'cameras: 1 of 3 streaming',
      'unhealthy: frames are not delivered: rabbitmq does not answer',
      'unhealthy: store is waiting',
      'configuration change: being applied, 12 processes left',
      '',
    ]);
  });

  it('shows the current problem of an actor before an old exit of its process', () => {
    const fault = { code: 'redis-full', message: 'redis takes no more' };
    const heartbeat = { done: 9, fault, facts: {}, memoryBytes: 1, atMs: NOW };
    const lastFault = { code: 'hung', message: 'sent no heartbeat', atMs: NOW - 1000 };
    const text = statusText(
      { ...daemon, children: [{ ...base, name: 'store', kind: 'store', heartbeat, lastFault }] },
      NOW,
    );
    assert.match(text, /redis-full: redis takes no more$/);
  });

  it('needs no child', () => {
    const lines = statusText({ ...daemon, children: [] }, NOW).split('\n');
    assert.equal(lines.length, 3);
  });
});
