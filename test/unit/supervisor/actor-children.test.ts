/** The actors as children: the order of their starts and stops, and what edits do to them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActorStartFault } from '../../../src/comedy/hosted-actor';
import type { Frame } from '../../../src/contract/frame';
import { openChildren } from '../../../lab/children-bench';
import { settled, until } from '../../../lab/until';
import { CAMERAS, type Entry } from '../../../lab/wanted-actors';

const [GATE = {}, YARD = {}] = CAMERAS;
const FRAME: Frame = {
  ...{ camera: 'gate', capturedAt: 1_700_000_000_000, sequence: 1 },
  ...{ width: 64, height: 36, format: 'jpeg', bytes: 4 },
};
const HEARTBEAT = { kind: 'heartbeat', heartbeat: { done: 7, facts: {}, memoryBytes: 1 } } as const;

describe('the start of all actors', () => {
  it('starts the processes at once; store and notifier work when the servers are up, cameras before', async (t) => {
    const { startAll, events, children } = await openChildren(t);
    let serve: () => void = () => undefined;
    const started = startAll(new Promise<void>((resolve) => (serve = resolve)));
    await settled();
    assert.deepEqual(events, [
      ...['start notifier', 'start store', 'start camera:gate', 'start camera:yard'],
      ...['begin camera:gate', 'begin camera:yard'],
    ]);
    serve();
    await started;
    assert.deepEqual(events.slice(6), ['begin notifier', 'begin store']);
    assert.deepEqual(
      children.status().map(({ name, state }) => `${name} ${state}`),
      ['notifier running', 'store running', 'camera:gate running', 'camera:yard running'],
    );
  });

  it('starts web when the servers are up, waits for it nowhere, and stops it beside the cameras', async (t) => {
    const { startAll, events, host, children } = await openChildren(t, { http: {} });
    let start: () => void = () => undefined;
    host.onStart = async ({ name }) =>
      name === 'web' ? new Promise((resolve) => (start = resolve)) : undefined;
    let serve: () => void = () => undefined;
    const started = startAll(new Promise<void>((resolve) => (serve = resolve)));
    await settled();
    assert.ok(!events.includes('start web'));
    serve();
    await started;
    await settled();
    const states = children.status().map(({ name, state }) => `${name} ${state}`);
    assert.deepEqual(states.slice(0, 3), ['notifier running', 'store running', 'web starting']);
    start();
    await settled();
    assert.equal(events.at(-1), 'begin web');
    await children.stop();
    const stopped = events.indexOf('stopped web');
    assert.ok(stopped > 0 && stopped < events.indexOf('stop store'), events.join());
  });

  it('starts no more cameras at the same time than parallelStarts', async (t) => {
    const cameras = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, test: 'testsrc2' }));
    const { startAll, host, events } = await openChildren(t, { cameras, supervision: { parallelStarts: 2 } });
    const ready: (() => void)[] = [];
    host.onStart = async ({ name }) =>
      name.startsWith('camera:') ? new Promise((resolve) => ready.push(resolve)) : undefined;
    const started = startAll();
    const camerasStarted = () => events.filter((event) => event.startsWith('start camera:')).length;
    await settled();
    assert.equal(camerasStarted(), 2);
    for (let done = 1; done <= 5; done++) {
      ready.shift()?.();
      await settled();
      assert.equal(camerasStarted(), Math.min(5, 2 + done));
    }
    await started;
  });

  it('is not held up by a camera that cannot be started: it is recorded and started again', async (t) => {
    const { startAll, host, log, crashes, reported, child } = await openChildren(t);
    let failures = 0;
    host.onStart = async ({ name }) => {
      if (name === 'camera:gate' && failures++ === 0)
        throw new ActorStartFault(new Error('was not ready within 3000 ms'), 4711, ['half a line']);
    };
    await startAll();
    await until('it runs', () => child('camera:gate')?.state === 'running');
    await reported('camera:gate');
    assert.equal(child('camera:gate')?.restarts, 1);
    const [crash = {}] = crashes('camera-gate');
    assert.deepEqual(crash['fault'], {
      code: 'actor-start',
      message: 'did not start: was not ready within 3000 ms',
    });
    assert.deepEqual([crash['pid'], crash['lastLines'], crash['exitCode']], [4711, ['half a line'], null]);
    assert.ok(
      log.lines.some(([level, text]) => level === 'warn' && /^camera:gate: did not start: was/.test(text)),
    );
  });
});

describe('the stop of all actors', () => {
  it('ends the cameras, then the store, then the notifier, each when the one before has stopped', async (t) => {
    const { startAll, children, events, host } = await openChildren(t);
    await startAll();
    events.splice(0);
    await children.stop();
    assert.deepEqual(events.slice(0, 4).sort(), [
      ...['stop camera:gate', 'stop camera:yard', 'stopped camera:gate', 'stopped camera:yard'],
    ]);
    assert.deepEqual(events.slice(4), ['stop store', 'stopped store', 'stop notifier', 'stopped notifier']);
    assert.ok(children.status().every(({ state }) => state === 'stopped'));
    await children.close();
    assert.ok(host.isClosed);
  });

  it('is not a crash: nothing is recorded or restarted', async (t) => {
    const { startAll, children, host, log } = await openChildren(t);
    await startAll();
    await children.stop();
    await settled();
    assert.equal(host.started.length, 4);
    assert.deepEqual(
      log.lines.filter(([level, text]) => level === 'warn' || text.includes('crash report')),
      [],
    );
  });

  it('begins no work in a process that became ready after it was asked', async (t) => {
    const { startAll, children, host, events } = await openChildren(t);
    let ready: () => void = () => undefined;
    host.onStart = async ({ name }) =>
      name === 'camera:gate' ? new Promise((resolve) => (ready = resolve)) : undefined;
    const started = startAll();
    await settled();
    const stopped = children.stop();
    ready();
    await Promise.all([started, stopped]);
    assert.ok(!events.includes('begin camera:gate'));
    assert.ok(events.includes('stopped camera:gate'));
  });
});

describe('an edit', () => {
  it('restarts the store if it cannot change it, and leaves the others alone', async (t) => {
    const { startAll, edit, events, host, children } = await openChildren(t);
    await startAll();
    events.splice(0);
    await edit({ frames: { durability: 'durable' } });
    assert.deepEqual(events, ['stop store', 'stopped store', 'start store', 'begin store']);
    assert.equal((host.actor('store').spec.parameters as Entry)['durability'], 'durable');
    assert.equal(children.behind, 0);
  });

  it('is sent to a camera that runs; the edit is applied once the camera says so', async (t) => {
    const { startAll, edit, events, host, children } = await openChildren(t);
    await startAll();
    events.splice(0);
    const editing = edit({ cameras: [{ ...GATE, quality: 31 }, YARD] });
    await settled();
    const sent = host.actor('camera:gate').got.filter(({ kind }) => kind === 'parameters');
    assert.equal(sent.length, 1);
    assert.match(JSON.stringify(sent), /"quality":31/);
    let isApplied = false;
    void editing.then(() => (isApplied = true));
    await settled();
    assert.equal(isApplied, false);
    host.report('camera:gate', { kind: 'changed' });
    await editing;
    assert.deepEqual(events, []);
    assert.equal(children.behind, 0);
  });

  for (const [what, expireMs, order] of [
    ['shorter life of frames reaches the notifier first', 20_000, ['notifier', 'store']],
    ['longer life of frames reaches the store first', 90_000, ['store', 'notifier']],
  ] as const)
    it(`to a ${what}: no message outlives its frame`, async (t) => {
      const { startAll, edit, host } = await openChildren(t, { frames: { expireMs: 60_000 } });
      await startAll();
      const editing = edit({ frames: { expireMs } });
      for (const name of order) {
        const asked = (each: string) => host.actor(each).got.some(({ kind }) => kind === 'parameters');
        await until(`${name} is asked`, () => asked(name));
        assert.equal(asked(order[1]), name === order[1]);
        host.report(name, { kind: 'changed' });
      }
      await editing;
    });

  it('that adds a camera starts it; one that removes it stops it and forgets it', async (t) => {
    const { startAll, edit, host, states, child, events } = await openChildren(t);
    await startAll();
    host.report('camera:gate', { kind: 'frame', frame: FRAME });
    host.report('store', { kind: 'delivered', frames: [{ ...FRAME, delayed: false }] });
    host.report('camera:gate', HEARTBEAT);
    host.report('camera:gate', {
      kind: 'camera-state',
      state: { camera: 'gate', state: 'streaming', sinceMs: 1 },
    });
    assert.equal(child('camera:gate')?.delivered?.lastMinute, 1);
    assert.equal(child('camera:gate')?.heartbeat?.done, 7);
    assert.equal(child('camera:gate')?.feed?.state, 'streaming');
    events.splice(0);
    await edit({ cameras: [YARD, { id: 'door', test: 'testsrc2' }] });
    assert.deepEqual(events.sort(), [
      ...['begin camera:door', 'start camera:door', 'stop camera:gate', 'stopped camera:gate'],
    ]);
    assert.equal(child('camera:gate'), undefined);
    assert.deepEqual([states.at(-1)?.camera, states.at(-1)?.state], ['gate', 'stopped']);
    const told = host.actor('notifier').got.at(-1);
    assert.ok(told?.kind === 'camera-state' && told.state.state === 'stopped');
    await edit({ cameras: [YARD, GATE] });
    const { state, feed, heartbeat, delivered } = child('camera:gate') ?? assert.fail();
    assert.deepEqual([state, feed, heartbeat, delivered?.lastMinute], ['running', undefined, undefined, 0]);
  });

  it('reaches cameras that wait for their start: how many start at once, and what with', async (t) => {
    const cameras = ['a', 'b', 'c'].map((id) => ({ id, test: 'testsrc2' }));
    const { startAll, edit, host, events } = await openChildren(t, {
      cameras,
      supervision: { parallelStarts: 1 },
    });
    let ready: () => void = () => undefined;
    host.onStart = async ({ name }) =>
      name === 'camera:a' ? new Promise((resolve) => (ready = resolve)) : undefined;
    void startAll();
    await settled();
    assert.ok(!events.includes('start camera:b'));
    const edited = cameras.map((camera) => ({ ...camera, quality: 31 }));
    void edit({ cameras: edited, supervision: { parallelStarts: 2 } });
    await until('the others are started', () => events.includes('start camera:c'));
    assert.match(JSON.stringify(host.actor('camera:c').spec.parameters), /"quality":31/);
    ready();
  });

  it('of the log level reaches those that run and those that start later', async (t) => {
    const { startAll, edit, host } = await openChildren(t);
    await startAll();
    await edit({ log: { level: 'debug' } });
    for (const name of ['notifier', 'store', 'camera:gate'])
      assert.deepEqual(host.actor(name).got.at(-1), { kind: 'log-level', level: 'debug' });
    assert.equal(host.logLevel, 'debug');
  });
});
