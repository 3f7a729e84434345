/** How children are kept alive. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { topologyOf, faultsOf, rest, GATE, type Entry, CAMERA_CHILD } from './parsing';

describe('how children are kept', () => {
  const childOf = (own: Entry, general: Entry = {}) =>
    topologyOf({ actors: { camera: general }, cameras: [{ ...GATE, actor: own }] }).cameras[0]?.child;

  it('comes from the camera, else from actors.camera, else from the defaults', () =>
    assert.deepEqual(childOf({ maxRestarts: 1 }, { maxRestarts: 2, periodMs: 2000 }), {
      ...CAMERA_CHILD,
      maxRestarts: 1,
      periodMs: 2000,
    }));

  const BAD: readonly [string, Entry, string, RegExp][] = [
    ['an unknown restart type', { camera: { restart: 'always' } }, '$.actors.camera.restart', /permanent/],
    ['a probe of a store', { store: { probeMs: 5000 } }, '$.actors.store.probeMs', /unknown key/],
    ['a camera in memory', { camera: { mode: 'in-memory' } }, '$.actors.camera.mode', /forked/],
    ['a negative count', { notifier: { maxRestarts: -1 } }, '$.actors.notifier.maxRestarts', /0/],
    [
      'a drain as long as the shutdown',
      { store: { drainMs: 2500 } },
      '$.actors.store.drainMs',
      /is 2500 ms; expected at most 2000/,
    ],
    [
      'deadlines that add up to more than a service manager allows',
      { service: { shutdownMs: 9000 } },
      '$.actors',
      /add up to 15500 ms; expected at most 13000/,
    ],
  ];
  for (const [what, actors, at, problem] of BAD)
    it(`may not be ${what}`, () => {
      const faults = faultsOf(rest({ actors }));
      assert.deepEqual(
        faults.map(({ path: place }) => place),
        [at],
      );
      assert.match(faults[0]?.problem ?? '', problem);
    });

  it('counts the slowest camera, by its own deadline', () => {
    const slow = { ...GATE, actor: { shutdownMs: 3001 } };
    assert.deepEqual(
      faultsOf({ cameras: [{ ...GATE, id: 'a' }, slow] }).map(({ path: at }) => at),
      ['$.actors'],
    );
    assert.equal(topologyOf({ cameras: [{ ...GATE, actor: { shutdownMs: 3000 } }] }).cameras.length, 1);
  });
});
