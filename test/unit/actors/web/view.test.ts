/** The condition of a camera, derived from what the daemon reports. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cameraView } from '../../../../src/actors/web/view/camera-view';
import { DaemonView } from '../../../../src/actors/web/view/daemon-view';
import type { DaemonStatus } from '../../../../src/control/protocol';
import type { ChildStatus } from '../../../../src/supervisor/status';

const NOW = 1_700_000_100_000;
const REFUSED = { code: 'refused', message: 'it refuses connections; check the port' };
const child = (more: Partial<ChildStatus> = {}): ChildStatus => ({
  ...{ name: 'camera:gate', kind: 'camera', state: 'running', sinceMs: NOW - 60_000, restarts: 0 },
  ...more,
});
const feed = (state: string, sinceMs = NOW - 50_000, fault?: typeof REFUSED) =>
  ({ camera: 'gate', state, sinceMs, ...(fault && { fault }) }) as ChildStatus['feed'] & object;
const gate = { id: 'gate', enabled: true, periodMs: 1000 };
const view = (status: ChildStatus | undefined, camera: object = {}) =>
  cameraView({ ...gate, ...camera }, status, NOW - 90_000, NOW);

describe('a camera', () => {
  const rows: readonly [string, ChildStatus | undefined, string, number, object?][] = [
    [
      'delivers while frames are confirmed',
      child({ feed: feed('streaming'), delivered: { lastMinute: 50, perSecond: 1, lastAtMs: NOW - 900 } }),
      'delivering',
      NOW - 50_000,
    ],
    ['is disabled where the configuration says so', undefined, 'disabled', NOW - 90_000, { enabled: false }],
    ['starts where its process does not run yet', undefined, 'starting', NOW - 90_000],
    ['starts while its process is restarted', child({ state: 'waiting' }), 'starting', NOW - 60_000],
    [
      'starts while it connects for the first time',
      child({ feed: feed('connecting') }),
      'starting',
      NOW - 50_000,
    ],
    [
      'starts until its first frame is confirmed',
      child({ feed: feed('streaming', NOW - 2000) }),
      'starting',
      NOW - 2000,
    ],
    [
      'is offline while its feed waits, since its last frame',
      child({
        feed: feed('waiting', NOW - 10, REFUSED),
        delivered: { lastMinute: 3, perSecond: 1, lastAtMs: NOW - 40_000 },
      }),
      'offline',
      NOW - 40_000,
    ],
    [
      'is offline while it connects again',
      child({ feed: feed('connecting', NOW - 10), feedFault: { ...REFUSED, at: NOW - 2000 } }),
      'offline',
      NOW - 60_000,
    ],
    [
      'is offline where its stream gives nothing',
      child({
        feed: feed('streaming'),
        delivered: { lastMinute: 0, perSecond: 1, lastAtMs: NOW - 30_000, capturedAtMs: NOW - 30_000 },
      }),
      'offline',
      NOW - 30_000,
    ],
    [
      'waits where frames are captured and not confirmed',
      child({
        feed: feed('streaming'),
        delivered: { lastMinute: 0, perSecond: 1, lastAtMs: NOW - 30_000, capturedAtMs: NOW - 500 },
      }),
      'waiting',
      NOW - 30_000,
    ],
    [
      'is quarantined with its process',
      child({
        state: 'quarantined',
        lastFault: { code: 'crashed', message: 'ended by SIGSEGV', atMs: NOW - 5 },
      }),
      'quarantined',
      NOW - 60_000,
    ],
    [
      'delivers slowly where it is slow',
      child({ feed: feed('streaming'), delivered: { lastMinute: 6, perSecond: 1, lastAtMs: NOW - 25_000 } }),
      'delivering',
      NOW - 50_000,
      { periodMs: 10_000 },
    ],
  ];
  for (const [what, status, condition, since, camera] of rows)
    it(what, () => {
      const found = view(status, camera);
      assert.deepEqual([found.condition, found.since], [condition, since]);
    });

  it('has the rate that the daemon reports, and none without a process', () => {
    assert.equal(view(child({ delivered: { lastMinute: 20, perSecond: 0.4999 } })).rate, 0.5);
    assert.equal(view(undefined).rate, 0);
  });

  it('reports why its feed failed while it waits and while it is reopened, even to the first viewer', () => {
    const feedFault = { ...REFUSED, at: NOW - 2000 };
    for (const state of ['waiting', 'connecting'])
      assert.deepEqual(view(child({ feed: feed(state), feedFault })).fault, feedFault);
  });

  it('reports the fault of its process, and none while it delivers', () => {
    const lastFault = { code: 'crashed', message: 'ended by SIGSEGV', atMs: NOW - 5 };
    const { fault } = view(child({ state: 'waiting', lastFault }));
    assert.deepEqual(fault, { code: 'crashed', message: 'its process ended by SIGSEGV', at: NOW - 5 });
    const delivering = view(
      child({
        feed: feed('streaming'),
        delivered: { lastMinute: 9, perSecond: 1, lastAtMs: NOW },
        lastFault,
      }),
    );
    assert.equal(delivering.fault, undefined);
  });
});

describe('the view of all viewers', () => {
  const status = (feedNow: ChildStatus['feed'] & object): DaemonStatus => ({
    ...{ pid: 1, startedAtMs: 1, ready: true, problems: [], delivery: { waiting: 0 } },
    configuration: { file: 'f', appliedAtMs: 1 },
    children: [child({ feed: feedNow })],
  });

  it('asks the daemon once a second, however many viewers there are', async () => {
    let [asked, nowMs] = [0, 0];
    const daemon = {
      status: async () => (asked++, status(feed('streaming'))),
      cameras: async () => [gate],
    };
    const shared = new DaemonView(daemon, '1', () => nowMs);
    for (let look = 0; look < 10; look++, nowMs += 1000)
      await Promise.all(Array.from({ length: 50 }, () => shared.view()));
    assert.equal(asked, 10);
  });

  it('rejects while the daemon does not answer, and asks again', async () => {
    let nowMs = 0;
    const daemon = {
      status: async () => (nowMs < 1000 ? Promise.reject(new Error('silent')) : status(feed('streaming'))),
      cameras: async () => [gate],
    };
    const shared = new DaemonView(daemon, '1', () => nowMs);
    await assert.rejects(shared.view(), /silent/);
    nowMs = 1000;
    assert.equal((await shared.view()).cameras.length, 1);
  });
});
