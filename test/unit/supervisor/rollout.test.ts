/** How an edit reaches the actors: a few cameras at a time, only the newest edit, no actor left waiting. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ActorExit, HostedActor } from '../../../src/comedy/hosted-actor';
import type { WantedActor } from '../../../src/supervisor/actor-specs';
import type { ChildState } from '../../../src/supervisor/child';
import { Rollout } from '../../../src/supervisor/rollout';
import { cameraSpec } from '../../../lab/camera-spec';
import { settled, until } from '../../../lab/until';

const CHILD: WantedActor['child'] = {
  restart: 'permanent',
  maxRestarts: 1,
  periodMs: 1000,
  backOff: { firstMs: 1, capMs: 1 },
  startMs: 1000,
  shutdownMs: 1000,
};

function camera(name: string, quality: number): WantedActor {
  const parameters = { camera: cameraSpec({ quality }), ffmpeg: 'ffmpeg', spoolDir: '/spool' };
  return { kind: 'camera', child: CHILD, actor: { name, mode: 'forked', module: '/camera', parameters } };
}

function store(expireMs: number, durability: string): WantedActor {
  const actor = {
    name: 'store',
    mode: 'forked',
    module: '/store',
    parameters: { expireMs, durability },
  } as const;
  return { kind: 'store', child: CHILD, actor };
}

const qualityOf = (parameters: unknown) => (parameters as { camera: { quality: number } }).camera.quality;

/** Running actors that apply what they are sent when the test says so. */
function bench(t: TestContext, names: readonly string[], width = 2) {
  const wanted = new Map<string, WantedActor>();
  const states = new Map<string, ChildState['name']>();
  const done: string[] = [];
  const told: [string, unknown][] = [];
  const exits = new Map<string, () => void>();
  const note = (what: string) => async (name: string) => {
    done.push(`${what} ${name}`);
    if (what === 'remove') states.delete(name);
    else states.set(name, 'running');
  };
  const rollout = new Rollout(
    {
      wanted: (name) => wanted.get(name),
      child: (name) => (states.has(name) ? { state: { name: states.get(name) } as ChildState } : undefined),
      start: note('start'),
      replace: note('replace'),
      remove: note('remove'),
    },
    width,
  );
  t.after(() => rollout.stop());
  const runs = (name: string, given: WantedActor) => {
    wanted.set(name, given);
    states.set(name, 'running');
    rollout.starts(name, given);
    const exited = new Promise<ActorExit>((resolve) =>
      exits.set(name, () => resolve({ code: 1, signal: null, fault: { code: 'crashed', message: 'ended' } })),
    );
    rollout.runs({
      ...{ name, pid: 1, exited, lastLines: [] },
      begin: () => undefined,
      stop: async () => undefined,
      send: (command) => told.push([name, command.kind === 'parameters' ? command.parameters : command.kind]),
    } satisfies HostedActor);
  };
  for (const name of names) runs(name, camera(name, 80));
  return {
    ...{ rollout, wanted, states, done, told, runs },
    exit: (name: string) => exits.get(name)?.(),
    edit: async (quality: number, which = names) => {
      for (const name of which) wanted.set(name, camera(name, quality));
      await Promise.all(names.map((name) => rollout.settle(name)));
    },
    tells: () => told.map(([name, parameters]) => `${name} ${qualityOf(parameters)}`),
  };
}

const NAMES = ['camera:a', 'camera:b', 'camera:c', 'camera:d'];

describe('a rollout', () => {
  it('reaches a limited number of cameras at a time, and the next when one has applied it', async (t) => {
    const { rollout, edit, tells } = bench(t, NAMES);
    const rolledOut = edit(30);
    await settled();
    assert.deepEqual(tells(), ['camera:a 30', 'camera:b 30']);
    assert.equal(rollout.behind, 2);
    rollout.changed('camera:b');
    await until('the next is told', () => tells().length === 3);
    assert.deepEqual(tells().at(-1), 'camera:c 30');
    for (const name of ['camera:a', 'camera:c']) rollout.changed(name);
    await until('the last is told', () => tells().length === 4);
    rollout.changed('camera:d');
    await rolledOut;
    assert.equal(rollout.behind, 0);
  });

  it('sends only the newest edit to actors that the previous one has not reached', async (t) => {
    const { rollout, edit, tells } = bench(t, NAMES, 1);
    const first = edit(30);
    await settled();
    const second = edit(50);
    for (let i = 1; i <= 5; i++) {
      await until(`${i} are told`, () => tells().length >= i);
      for (const name of NAMES) rollout.changed(name);
    }
    await Promise.all([first, second]);
    assert.deepEqual(
      tells().filter((line) => line.endsWith(' 30')),
      ['camera:a 30'],
    );
    assert.deepEqual(
      tells()
        .filter((line) => line.endsWith(' 50'))
        .sort(),
      NAMES.map((name) => `${name} 50`),
    );
  });

  it('sends nothing to actors that a reverted edit had not reached', async (t) => {
    const { rollout, edit, tells } = bench(t, NAMES, 1);
    const first = edit(30);
    await settled();
    const back = edit(80);
    await until('the first is told to go back', () => tells().length === 2);
    rollout.changed('camera:a');
    await Promise.all([first, back]);
    assert.deepEqual(tells(), ['camera:a 30', 'camera:a 80']);
  });

  it('does not wait forever for an actor that does not answer', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { edit, tells } = bench(t, NAMES.slice(0, 2), 1);
    const rolledOut = edit(30);
    await until('one is told', () => tells().length === 1);
    t.mock.timers.tick(5000);
    await until('the other is told', () => tells().length === 2);
    t.mock.timers.tick(5000);
    await rolledOut;
  });

  it('does not wait for an actor that dies of the edit', async (t) => {
    const { exit, edit, tells } = bench(t, NAMES.slice(0, 2), 1);
    const rolledOut = edit(30);
    await until('one is told', () => tells().length === 1);
    exit('camera:a');
    await until('the other is told', () => tells().length === 2);
    exit('camera:b');
    await rolledOut;
  });

  it('starts at once a camera that waits for its restart or is quarantined', async (t) => {
    for (const state of ['waiting', 'quarantined', 'ended'] as const) {
      const { exit, states, edit, done } = bench(t, ['camera:a']);
      exit('camera:a');
      await settled();
      states.set('camera:a', state);
      await edit(30);
      assert.deepEqual(done, ['replace camera:a']);
    }
  });

  it('updates a camera that is being started once it runs', async (t) => {
    const { rollout, exit, states, edit, done, tells, runs, wanted } = bench(t, ['camera:a']);
    exit('camera:a');
    await settled();
    states.set('camera:a', 'starting');
    await edit(30);
    assert.deepEqual([done, tells()], [[], []]);
    const newest = wanted.get('camera:a') as WantedActor;
    runs('camera:a', camera('camera:a', 80));
    wanted.set('camera:a', newest);
    const told = rollout.settle('camera:a');
    await until('it is told', () => tells().length === 1);
    rollout.changed('camera:a');
    await told;
  });

  it('starts new actors and removes unwanted ones without a turn', async (t) => {
    const { rollout, wanted, done, edit, tells } = bench(t, NAMES, 1);
    const rolledOut = edit(30);
    await settled();
    wanted.set('camera:new', camera('camera:new', 80));
    wanted.delete('camera:d');
    const gone = rollout.settle('camera:d');
    await rollout.settle('camera:new');
    assert.deepEqual(done, ['start camera:new'], 'while a camera has its turn');
    for (const [i, name] of NAMES.slice(0, 3).entries()) {
      await until(`${name} is told`, () => tells().length === i + 1);
      rollout.changed(name);
    }
    await Promise.all([rolledOut, gone]);
    assert.deepEqual(done, ['start camera:new', 'remove camera:d']);
  });

  it('replaces a store if a changed setting requires it, and sends it the others', async (t) => {
    const { rollout, runs, wanted, done, told } = bench(t, []);
    runs('store', store(60_000, 'memory'));
    wanted.set('store', store(30_000, 'memory'));
    const handed = rollout.settle('store');
    await until('it is told', () => told.length === 1);
    rollout.changed('store');
    await handed;
    assert.deepEqual([told.length, done], [1, []]);
    wanted.set('store', store(30_000, 'durable'));
    await rollout.settle('store');
    assert.deepEqual([told.length, done], [1, ['replace store']]);
  });

  it('begins nothing once everything is to stop', async (t) => {
    const { rollout, edit, tells } = bench(t, NAMES);
    rollout.stop();
    await edit(30);
    assert.deepEqual(tells(), []);
  });
});
