/** Reports reach all that need them, and a new notifier gets what it missed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostCommand } from '../../../src/comedy/host-messages';
import type { ActorReport } from '../../../src/protocol/messages';
import { actor, ALL, FRAME, GAP, routed, STREAMING, WAITING } from '../../../lab/router-bench';

describe('a report', () => {
  const AWAY = { code: 'away', message: 'is away' };
  const HEARTBEAT = { done: 1, facts: {}, memoryBytes: 1 };
  const DELIVERED = [{ ...FRAME, delayed: false }];
  const PERIODS = { kind: 'periods', camera: 'gate', periodMs: 1000, firstSequence: 1 } as const;
  const DROPPED = [{ ...FRAME, reason: 'age' }];
  const LINES = ['rtsp://u:p@h/'];
  interface Row {
    readonly from: string;
    readonly report: ActorReport;
    /** The actor that is sent something, and what. */
    readonly to?: readonly [string, HostCommand];
    /** Calls after that of the ledger. */
    readonly calls?: readonly (readonly unknown[])[];
  }
  const rows: readonly Row[] = [
    {
      from: 'camera:gate',
      report: { kind: 'frame', frame: FRAME },
      to: ['store', { kind: 'frame', frame: FRAME }],
      calls: [
        ['worked', 'camera:gate', FRAME],
        ['deliveries', 'captured', FRAME],
        ['figures', 'captured', FRAME],
      ],
    },
    {
      from: 'camera:gate',
      report: PERIODS,
      calls: [['figures', 'periods', PERIODS]],
    },
    { from: 'camera:gate', report: { kind: 'gap', gap: GAP } },
    { from: 'notifier', report: { kind: 'gap-told', gap: GAP } },
    {
      from: 'store',
      report: { kind: 'delivered', frames: DELIVERED },
      calls: [
        ['deliveries', 'delivered', DELIVERED],
        ['figures', 'delivered', DELIVERED],
      ],
    },
    {
      from: 'store',
      report: { kind: 'dropped', frames: DROPPED },
      calls: [['figures', 'dropped', DROPPED]],
    },
    {
      from: 'web',
      report: { kind: 'serving', url: 'http://h/' },
      calls: [['address', 'http://h/']],
    },
    { from: 'store', report: { kind: 'evicted', keys: 3 } },
    {
      from: 'camera:gate',
      report: { kind: 'camera-state', state: STREAMING },
      to: ['notifier', { kind: 'camera-state', state: STREAMING }],
      calls: [['ledger', 'state', STREAMING]],
    },
    {
      from: 'store',
      report: { kind: 'announce', frame: FRAME, delayed: true },
      to: ['notifier', { kind: 'announce', frame: FRAME, delayed: true }],
    },
    {
      from: 'notifier',
      report: { kind: 'announced', id: 'a' },
      to: ['store', { kind: 'announced', id: 'a' }],
    },
    {
      from: 'notifier',
      report: { kind: 'readiness' },
      to: ['store', { kind: 'notifier-ready' }],
      calls: [['serving', 'readiness', 'notifier', undefined]],
    },
    {
      from: 'notifier',
      report: { kind: 'readiness', fault: AWAY },
      calls: [['serving', 'readiness', 'notifier', AWAY]],
    },
    {
      from: 'store',
      report: { kind: 'readiness' },
      calls: [['serving', 'readiness', 'store', undefined]],
    },
    {
      from: 'camera:gate',
      report: { kind: 'heartbeat', heartbeat: HEARTBEAT },
      calls: [
        ['black box', 'heartbeat', 'camera:gate', HEARTBEAT],
        ['serving', 'heartbeat', 'camera:gate'],
      ],
    },
    { from: 'store', report: { kind: 'changed' }, calls: [['changed', 'store']] },
    {
      from: 'camera:gate',
      report: { kind: 'feed-said', lines: LINES },
      calls: [['black box', 'feed', 'camera:gate', LINES]],
    },
  ];
  for (const { from, report, to, calls: expected = [] } of rows)
    it(`${report.kind}${'fault' in report ? ' with a fault' : ''} of ${from} reaches the ledger first, then ${to?.[0] ?? 'no actor'}`, () => {
      const { router, calls, got } = routed(...ALL);
      router.route(from, report);
      assert.deepEqual(calls, [['ledger', 'report', report], ...expected]);
      for (const name of ALL) assert.deepEqual(got(name), name === to?.[0] ? [to[1]] : [], name);
    });

  it('to be announced is answered at once if there is no notifier: the store would wait forever', () => {
    const { router, got } = routed('store', 'camera:gate');
    router.route('store', { kind: 'announce', frame: FRAME, delayed: false });
    assert.deepEqual(got('store'), [{ kind: 'notifier-lost' }]);
  });

  it('to an actor that does not run is lost with it', () => {
    const { router } = routed();
    for (const { from, report } of rows) router.route(from, report);
  });
});

describe('a gap that the ledger has announced', () => {
  it('is counted, and reaches the notifier alone', () => {
    const { router, calls, got } = routed(...ALL);
    router.sendGap(GAP);
    assert.deepEqual(calls, [['figures', 'missed', GAP]]);
    for (const name of ALL)
      assert.deepEqual(got(name), name === 'notifier' ? [{ kind: 'gap', gap: GAP }] : []);
  });
});

describe('a state that the supervisor sends', () => {
  it('reaches the ledger and the notifier', () => {
    const { router, joined, calls, got } = routed('notifier');
    router.sendState(WAITING);
    assert.deepEqual(joined, [['ledger', 'began', 'notifier']]);
    assert.deepEqual(calls, [['ledger', 'state', WAITING]]);
    assert.deepEqual(got('notifier'), [{ kind: 'camera-state', state: WAITING }]);
  });
});

describe('a notifier', () => {
  it('that is new is sent the newest state of every camera, also those of the time without one', () => {
    const { router } = routed('store');
    router.sendState({ ...STREAMING, state: 'connecting' });
    router.route('camera:gate', { kind: 'camera-state', state: STREAMING });
    router.sendState(WAITING);
    const first = actor('notifier');
    router.join(first);
    const expected = [STREAMING, WAITING].map((state) => ({ kind: 'camera-state', state }));
    assert.deepEqual(first.got, expected);
    router.leave(first);
    const second = actor('notifier');
    router.join(second);
    assert.deepEqual(second.got, expected);
  });

  it('is not sent the states of cameras that are no longer wanted', () => {
    const { router } = routed('store');
    router.sendState(STREAMING);
    router.sendState(WAITING);
    router.forgetCamera('gate');
    assert.equal(router.feedOf('gate'), undefined);
    assert.deepEqual(router.feedOf('yard')?.feed, WAITING);
    const fresh = actor('notifier');
    router.join(fresh);
    assert.deepEqual(fresh.got, [{ kind: 'camera-state', state: WAITING }]);
  });

  it('that leaves is reported to the store once: it owes answers that never come', () => {
    const { router, actors, got } = routed('notifier', 'store');
    const notifier = actors.get('notifier');
    assert.ok(notifier !== undefined);
    router.leave(notifier);
    router.leave(notifier);
    assert.deepEqual(got('store'), [{ kind: 'notifier-lost' }]);
  });

  it('that leaves late does not take its successor with it', () => {
    const { router, actors, got } = routed('notifier', 'store');
    const [former, successor] = [actors.get('notifier'), actor('notifier')];
    assert.ok(former !== undefined);
    router.join(successor);
    router.leave(former);
    router.route('store', { kind: 'announce', frame: FRAME, delayed: false });
    assert.deepEqual(got('store'), []);
    assert.equal(successor.got.length, 1);
  });
});

describe('a broadcast', () => {
  it('reaches all that run', () => {
    const { router, actors, got } = routed(...ALL);
    const gone = actors.get('camera:gate');
    assert.ok(gone !== undefined);
    router.leave(gone);
    router.broadcast({ kind: 'log-level', level: 'debug' });
    for (const name of ['notifier', 'store'])
      assert.deepEqual(got(name), [{ kind: 'log-level', level: 'debug' }]);
    assert.deepEqual(got('camera:gate'), []);
  });
});
