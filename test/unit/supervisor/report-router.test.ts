/** Who is told what: reports reach the actor that needs them, and a new one learns what it missed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostCommand } from '../../../src/comedy/host-messages';
import type { Frame } from '../../../src/contract/frame';
import type { CameraState, Gap } from '../../../src/contract/message';
import type { ActorReport } from '../../../src/protocol/messages';
import type { HostedActor } from '../../../src/comedy/hosted-actor';
import { ReportRouter } from '../../../src/supervisor/report-router';

const FRAME: Frame = {
  camera: 'gate',
  capturedAt: 1_700_000_000_000,
  sequence: 1,
  width: 64,
  height: 36,
  format: 'jpeg',
  bytes: 4,
};
const GAP: Gap = { camera: 'gate', firstSequence: 1, lastSequence: 2, missed: 2, reason: 'refused' };
const STREAMING: CameraState = { camera: 'gate', state: 'streaming', sinceMs: 1 };
const WAITING: CameraState = { camera: 'yard', state: 'waiting', sinceMs: 2 };

function actor(name: string): HostedActor & { readonly got: HostCommand[] } {
  const got: HostCommand[] = [];
  return {
    name,
    got,
    pid: 1,
    exited: new Promise(() => undefined),
    lastLines: [],
    begin: () => undefined,
    send: (command) => got.push(command),
    stop: async () => undefined,
  };
}

/** What the ledger was told, in its order. */
class Accounts {
  readonly heard: unknown[] = [];
  began(name: string): void {
    this.heard.push(name);
  }
  cameraState(state: CameraState): void {
    this.heard.push(state);
  }
  onReport(report: ActorReport): void {
    this.heard.push(report);
  }
}

function routed(...names: string[]) {
  const accounts = new Accounts();
  const router = new ReportRouter(accounts);
  const actors = new Map(names.map((name) => [name, actor(name)]));
  for (const each of actors.values()) router.join(each);
  return { router, actors, accounts, got: (name: string) => actors.get(name)?.got };
}

const ALL = ['notifier', 'store', 'camera:gate'];

describe('a report', () => {
  const rows: readonly [string, ActorReport, string | undefined, HostCommand | undefined][] = [
    ['camera:gate', { kind: 'frame', frame: FRAME }, 'store', { kind: 'frame', frame: FRAME }],
    ['camera:gate', { kind: 'gap', gap: GAP }, undefined, undefined],
    ['notifier', { kind: 'gap-told', gap: GAP }, undefined, undefined],
    ['store', { kind: 'delivered', frames: [{ ...FRAME, delayed: false }] }, undefined, undefined],
    ['store', { kind: 'dropped', frames: [{ ...FRAME, reason: 'age' }] }, undefined, undefined],
    [
      'camera:gate',
      { kind: 'camera-state', state: STREAMING },
      'notifier',
      { kind: 'camera-state', state: STREAMING },
    ],
    [
      'store',
      { kind: 'announce', frame: FRAME, delayed: true },
      'notifier',
      { kind: 'announce', frame: FRAME, delayed: true },
    ],
    ['notifier', { kind: 'announced', id: 'a' }, 'store', { kind: 'announced', id: 'a' }],
    ['notifier', { kind: 'readiness' }, 'store', { kind: 'notifier-ready' }],
    ['notifier', { kind: 'readiness', fault: { code: 'away', message: 'is away' } }, undefined, undefined],
    ['store', { kind: 'readiness' }, undefined, undefined],
    [
      'camera:gate',
      { kind: 'heartbeat', heartbeat: { done: 1, facts: {}, memoryBytes: 1 } },
      undefined,
      undefined,
    ],
    ['camera:gate', { kind: 'feed-said', lines: ['rtsp://u:p@h/'] }, undefined, undefined],
  ];
  for (const [from, report, to, command] of rows)
    it(`${report.kind}${'fault' in report ? ' with a fault' : ''} of ${from} reaches the ledger and ${to ?? 'no actor'}`, () => {
      const { router, accounts, got } = routed(...ALL);
      router.route(from, report);
      assert.deepEqual(accounts.heard.slice(0, ALL.length + 1), [...ALL, report]);
      for (const name of ALL) assert.deepEqual(got(name), name === to ? [command] : [], name);
    });

  it('to announce is answered at once where there is no notifier: the store would wait for ever', () => {
    const { router, got } = routed('store', 'camera:gate');
    router.route('store', { kind: 'announce', frame: FRAME, delayed: false });
    assert.deepEqual(got('store'), [{ kind: 'notifier-lost' }]);
  });

  it('to an actor that does not run is lost with it', () => {
    const { router } = routed();
    for (const [from, report] of rows) router.route(from, report);
  });
});

describe('a gap that the ledger tells of', () => {
  it('reaches the notifier alone', () => {
    const { router, got } = routed(...ALL);
    router.tellGap(GAP);
    for (const name of ALL)
      assert.deepEqual(got(name), name === 'notifier' ? [{ kind: 'gap', gap: GAP }] : []);
  });
});

describe('a state that the supervisor tells of', () => {
  it('reaches the ledger and the notifier', () => {
    const { router, accounts, got } = routed('notifier');
    router.tellState(WAITING);
    assert.deepEqual(accounts.heard, ['notifier', WAITING]);
    assert.deepEqual(got('notifier'), [{ kind: 'camera-state', state: WAITING }]);
  });
});

describe('a notifier', () => {
  it('that is new is told the newest state of every camera, also those told while there was none', () => {
    const { router } = routed('store');
    router.tellState({ ...STREAMING, state: 'connecting' });
    router.route('camera:gate', { kind: 'camera-state', state: STREAMING });
    router.tellState(WAITING);
    const first = actor('notifier');
    router.join(first);
    const expected = [STREAMING, WAITING].map((state) => ({ kind: 'camera-state', state }));
    assert.deepEqual(first.got, expected);
    router.leave(first);
    const second = actor('notifier');
    router.join(second);
    assert.deepEqual(second.got, expected);
  });

  it('is not told of cameras that are no longer wanted', () => {
    const { router } = routed('store');
    router.tellState(STREAMING);
    router.tellState(WAITING);
    router.forgetCamera('gate');
    assert.equal(router.cameraState('gate'), undefined);
    assert.deepEqual(router.cameraState('yard'), WAITING);
    const fresh = actor('notifier');
    router.join(fresh);
    assert.deepEqual(fresh.got, [{ kind: 'camera-state', state: WAITING }]);
  });

  it('that leaves is told to the store once: it owes answers that never come', () => {
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
