/** The status of a child: its state, process, restarts and last fault. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ChildSpec } from '../../../src/config/topology';
import { Child, type ChildEnd, type ChildState } from '../../../src/supervisor/child';
import { childStatus } from '../../../src/supervisor/status';
import { keptLog } from '../../../lab/kept-log';
import { until } from '../../../lab/until';

const NOW = 1_700_000_000_000;

const SPEC: ChildSpec = {
  restart: 'permanent',
  maxRestarts: 1000,
  periodMs: 60_000,
  backOff: { firstMs: 250, capMs: 30_000 },
  startMs: 3000,
  shutdownMs: 2500,
};
const KILLED: ChildEnd = { normal: false, fault: { code: 'crashed', message: 'ended by SIGKILL' } };

/** A child, and the end of its newest run. */
function childOf(t: TestContext, spec: Partial<ChildSpec> = {}) {
  let pid = 100;
  const ends: ((end: ChildEnd) => void)[] = [];
  const child = new Child({
    name: 'camera:gate',
    log: keptLog(),
    spec: () => ({ ...SPEC, ...spec }),
    start: async () => {
      const ended = new Promise<ChildEnd>((resolve) => ends.push(resolve));
      return { pid: ++pid, ended, stop: async () => ends.at(-1)?.(KILLED) };
    },
    onEscalation: () => undefined,
  });
  t.after(() => child.stop());
  return {
    child,
    endIn: async (state: ChildState['name']) => {
      ends.at(-1)?.(KILLED);
      await until(`it is ${state}`, () => child.state.name === state && !('pid' in child.state));
    },
  };
}

/** As it is sent, without undefined members. */
const sent = (...known: Parameters<typeof childStatus>): unknown =>
  JSON.parse(JSON.stringify(childStatus(...known)));

describe('the status of a child', () => {
  it('is its state and since when; a pid only while it runs', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW });
    const { child, endIn } = childOf(t);
    assert.deepEqual(sent(child, 'camera'), {
      name: 'camera:gate',
      kind: 'camera',
      state: 'down',
      sinceMs: NOW,
      restarts: 0,
    });
    t.mock.timers.tick(5);
    await child.start();
    const heartbeat = { done: 7, facts: {}, memoryBytes: 1, atMs: NOW };
    const feed = { camera: 'gate', state: 'streaming', sinceMs: NOW } as const;
    assert.deepEqual(sent(child, 'camera', { heartbeat, feed }), {
      name: 'camera:gate',
      kind: 'camera',
      state: 'running',
      sinceMs: NOW + 5,
      pid: 101,
      restarts: 0,
      heartbeat,
      feed,
    });
    t.mock.timers.tick(1000);
    await endIn('waiting');
    assert.deepEqual(sent(child, 'camera'), {
      name: 'camera:gate',
      kind: 'camera',
      state: 'waiting',
      sinceMs: NOW + 1005,
      restarts: 0,
      lastFault: { ...KILLED.fault, atMs: NOW + 1005 },
    });
    t.mock.timers.tick(1);
    await until('it runs again', () => child.state.name === 'running');
    const again = childStatus(child, 'camera');
    assert.deepEqual([again.state, again.pid, again.restarts], ['running', 102, 1]);
    await child.stop();
    assert.deepEqual(
      [childStatus(child, 'camera').state, childStatus(child, 'camera').pid],
      ['stopped', undefined],
    );
  });

  it('has the pid of the try while it is quarantined', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW });
    const { child, endIn } = childOf(t, { maxRestarts: 0, probeMs: 1000 });
    await child.start();
    await endIn('quarantined');
    assert.equal(childStatus(child, 'camera').pid, undefined);
    t.mock.timers.tick(1000);
    await until('it is tried', () => 'pid' in child.state);
    const tried = childStatus(child, 'camera');
    assert.deepEqual([tried.state, tried.pid, tried.sinceMs], ['quarantined', 102, NOW]);
  });

  it('loses nothing on its way as JSON', async (t) => {
    const { child, endIn } = childOf(t, { restart: 'temporary' });
    await child.start();
    await endIn('ended');
    const heartbeat = { done: 1, facts: { redis: 'ready' }, memoryBytes: 5, atMs: 6 };
    const known = Object.entries(childStatus(child, 'store', { heartbeat }));
    assert.deepEqual(
      sent(child, 'store', { heartbeat }),
      Object.fromEntries(known.filter(([, value]) => value !== undefined)),
    );
  });
});
