/** The actors as children: what follows the end of a process, and how their reports are handled. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NAMESPACE_IN_USE } from '../../../src/connections/namespace-fault';
import type { Frame } from '../../../src/contract/frame';
import type { CameraState } from '../../../src/contract/message';
import { openChildren } from '../../../lab/children-bench';
import { settled, until } from '../../../lab/until';
import { CAMERAS, type Entry } from '../../../lab/wanted-actors';

const [GATE = {}] = CAMERAS;
const FRAME: Frame = {
  ...{ camera: 'gate', capturedAt: 1_700_000_000_000, sequence: 1 },
  ...{ width: 64, height: 36, format: 'jpeg', bytes: 4 },
};
const HEARTBEAT = { kind: 'heartbeat', heartbeat: { done: 7, facts: {}, memoryBytes: 1 } } as const;

describe('the end of a process', () => {
  it('is recorded with its fault and last heartbeat, and the actor is started again', async (t) => {
    const { startAll, host, runs, crashes, reported, child } = await openChildren(t);
    await startAll();
    host.report('camera:gate', HEARTBEAT);
    host.report('camera:gate', { kind: 'feed-said', lines: ['error while decoding MB'] });
    const { pid } = host.actor('camera:gate');
    host.actor('camera:gate').end();
    await runs('camera:gate', 5);
    await reported('camera:gate');
    const [crash = {}] = crashes('camera-gate');
    assert.deepEqual(
      [crash['pid'], crash['fault'], crash['signal'], crash['lastLines'], crash['ffmpeg']],
      [
        pid,
        { code: 'crashed', message: 'ended by SIGKILL' },
        'SIGKILL',
        ['the last line'],
        ['error while decoding MB'],
      ],
    );
    assert.equal((crash['lastHeartbeat'] as Entry)['done'], 7);
    assert.equal(child('camera:gate')?.restarts, 1);
    assert.equal(child('camera:gate')?.lastFault?.message, 'ended by SIGKILL');
  });

  it('of a camera is its state, with the reason, until it reports again', async (t) => {
    const { startAll, host, states, runs } = await openChildren(t);
    await startAll();
    assert.ok(states.length === 0);
    host.actor('camera:gate').end();
    await runs('camera:gate', 5);
    const state = states[0] ?? assert.fail();
    assert.deepEqual(
      [states.length, state.camera, state.state, state.fault],
      [1, 'gate', 'restarting', { code: 'crashed', message: 'its process ended by SIGKILL' }],
    );
    const told = host.actor('notifier').got.filter(({ kind }) => kind === 'camera-state');
    assert.deepEqual(told, [{ kind: 'camera-state', state }]);
  });

  it('of a camera beyond its intensity is a quarantine, and no escalation', async (t) => {
    const camera = { ...GATE, actor: { maxRestarts: 0, probeMs: 60_000 } };
    const { startAll, host, states, escalations, child } = await openChildren(t, { cameras: [camera] });
    await startAll();
    host.actor('camera:gate').end();
    await until('it is quarantined', () => child('camera:gate')?.state === 'quarantined');
    assert.equal(states.at(-1)?.state, 'quarantined');
    assert.deepEqual(escalations, []);
  });

  it('of a store is followed by a start whatever the restart budget of the cameras', async (t) => {
    const { startAll, host, runs, child } = await openChildren(t, { supervision: { restartsPerMinute: 1 } });
    await startAll();
    host.actor('camera:gate').end();
    await runs('camera:gate', 5);
    host.actor('store').end();
    await runs('store', 6);
    host.actor('camera:yard').end();
    await until('it waits', () => child('camera:yard')?.state === 'waiting');
    await settled();
    assert.equal(child('camera:yard')?.state, 'waiting');
  });

  it('of a store beyond its intensity escalates', async (t) => {
    const { startAll, host, escalations, child } = await openChildren(t, {
      actors: { store: { maxRestarts: 0 } },
    });
    await startAll();
    host.actor('store').end();
    await until('it escalates', () => escalations.length > 0);
    assert.equal(escalations[0]?.code, 'escalated');
    assert.match(escalations[0].message, /^store: more than 0 restarts in .*, at last: ended by SIGKILL$/);
    assert.equal(child('store')?.state, 'ended');
  });

  it('of the notifier is reported to the store; the next one gets the states of the cameras', async (t) => {
    const { startAll, host, runs, began } = await openChildren(t);
    await startAll();
    const state: CameraState = { camera: 'gate', state: 'streaming', sinceMs: 1 };
    host.report('camera:gate', { kind: 'camera-state', state });
    host.actor('notifier').end();
    await runs('notifier', 5);
    assert.deepEqual(host.actor('store').got, [{ kind: 'notifier-lost' }]);
    assert.deepEqual(host.actor('notifier').got, [{ kind: 'camera-state', state }]);
    assert.equal(began.filter((name) => name === 'notifier').length, 2);
  });
});

describe('readiness', () => {
  it('is passed on when the server answers and with each heartbeat, until it is lost or the process ends', async (t) => {
    const { startAll, host, serving, runs } = await openChildren(t);
    await startAll();
    host.report('store', HEARTBEAT);
    assert.deepEqual(serving, []);
    host.report('store', { kind: 'readiness' });
    host.report('store', HEARTBEAT);
    assert.deepEqual(serving, ['store', 'store']);
    host.report('store', { kind: 'readiness', fault: { code: 'redis-away', message: 'is away' } });
    host.report('store', HEARTBEAT);
    assert.equal(serving.length, 2);
    host.report('store', { kind: 'readiness' });
    assert.equal(serving.length, 3);
    host.actor('store').end();
    await runs('store', 5);
    host.report('store', HEARTBEAT);
    assert.equal(serving.length, 3);
  });

  it('that names another daemon with the namespace escalates; any other fault does not', async (t) => {
    const { startAll, host, escalations } = await openChildren(t);
    await startAll();
    host.report('store', { kind: 'readiness', fault: { code: 'redis-away', message: 'is away' } });
    assert.deepEqual(escalations, []);
    const fault = { code: NAMESPACE_IN_USE, message: 'namespace vigil is in use' };
    host.report('store', { kind: 'readiness', fault });
    assert.deepEqual(escalations, [fault]);
  });
});

describe('the report on deliveries', () => {
  it('contains the time of the last confirm, once there is one', async (t) => {
    const { startAll, host, children } = await openChildren(t);
    await startAll();
    assert.equal(typeof children.lastConfirmAtMs, 'undefined');
    host.report('store', { kind: 'delivered', frames: [{ ...FRAME, delayed: false }] });
    const { lastConfirmAtMs = 0 }: { lastConfirmAtMs?: number | undefined } = children;
    assert.ok(Math.abs(lastConfirmAtMs - Date.now()) < 60_000);
  });

  it('reaches the notifier if it is a gap', async (t) => {
    const { startAll, host, children } = await openChildren(t);
    const gap = { camera: 'gate', firstSequence: 1, lastSequence: 2, missed: 2, reason: 'refused' };
    children.sendGap(gap);
    await startAll();
    children.sendGap(gap);
    assert.deepEqual(host.actor('notifier').got, [{ kind: 'gap', gap }]);
  });
});
