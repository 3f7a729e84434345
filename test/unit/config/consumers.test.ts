/** "consumers" of actors.json: what a service may be, what it becomes, and the sentences about what is wrong. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultsOf, GATE, topologyOf } from './parsing';

const cameras = [{ ...GATE, tags: ['north'] }];
const config = (consumers: unknown, more: object = {}) => ({ consumers, cameras, ...more });

describe('services in the configuration', () => {
  it('have a queue of their own, and defaults for everything they do not specify', () => {
    const [plates] = topologyOf(config({ plates: {} }, { namespace: 'site' })).services;
    assert.deepEqual(plates, {
      ...{ name: 'plates', queue: 'site.plates', events: ['frame'], removal: 'after', maxLength: 10_000 },
      ...{ overflow: 'drop-head', deliveryLimit: 5, protocol: 'cloudevents' },
    });
  });

  it('that are to be removed are left out, and are named', () => {
    const topology = topologyOf(config({ plates: {}, old: { remove: true, cameras: ['gone'] } }));
    assert.deepEqual(
      topology.services.map(({ name }) => name),
      ['plates'],
    );
    assert.deepEqual(topology.removedServices, ['old']);
  });

  it('may be for future cameras, by a pattern', () =>
    assert.equal(topologyOf(config({ plates: { cameras: ['lane*', 'gate'] } })).services.length, 1));

  const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`s${i}`, {}]));
  const wrong: readonly [string, unknown, string, RegExp][] = [
    [
      'a name with a blank',
      config({ 'a b': {} }),
      '$.consumers["a b"]',
      /not a name for a service; expected 1 to 64/,
    ],
    ['a name with a dot', config({ 'a.dead': {} }), '$.consumers["a.dead"]', /not a name for a service/],
    ['an empty name', config({ '': {} }), '$.consumers[""]', /not a name for a service/],
    [
      'the detection queue',
      config({ detection: {} }),
      '$.consumers.detection',
      /queue vigil\.detection is already/,
    ],
    [
      'a queue of another name',
      config({ plates: {} }, { queue: { name: 'vigil.plates' } }),
      '$.consumers.plates',
      /queue vigil\.plates is already that of "queue"; choose another name/,
    ],
    [
      'the exchange of services as queue',
      config({ plates: {} }, { queue: { name: 'vigil.services' } }),
      '$.queue.name',
      /is the name of the exchange for "consumers"; choose another name/,
    ],
    [
      'a camera that is not there',
      config({ a: { cameras: ['gat'] } }),
      '$.consumers.a.cameras[0]',
      /"gat" is not the id/,
    ],
    [
      'a tag that no camera has',
      config({ a: { tags: ['south'] } }),
      '$.consumers.a.tags[0]',
      /no camera has the tag "south"/,
    ],
    ['no cameras', config({ a: { cameras: [] } }), '$.consumers.a.cameras', /at least one entry/],
    [
      'a pattern with a dot',
      config({ a: { cameras: ['g.*'] } }),
      '$.consumers.a.cameras[0]',
      /expected: the id of a camera/,
    ],
    [
      'an event of another kind',
      config({ a: { events: ['frames'] } }),
      '$.consumers.a.events[0]',
      /one of "frame"/,
    ],
    ['no events', config({ a: { events: [] } }), '$.consumers.a.events', /at least one entry/],
    [
      'a removal that is not known',
      config({ a: { removal: 'any' } }),
      '$.consumers.a.removal',
      /one of "after"/,
    ],
    ['a length of 0', config({ a: { maxLength: 0 } }), '$.consumers.a.maxLength', /at least 1 /],
    ['a short lifetime', config({ a: { lifetimeMs: 10 } }), '$.consumers.a.lifetimeMs', /at least 1000/],
    ['a misspelt key', config({ a: { camera: ['gate'] } }), '$.consumers.a.camera', /cameras/],
    [
      'a task without Celery',
      config({ a: { task: 'x' } }),
      '$.consumers.a.task',
      /only of use with "protocol": "celery"/,
    ],
    ['a list', config([]), '$.consumers', /expected object, found a list/],
    ['a name alone', config({ a: true }), '$.consumers.a', /expected object/],
    ['too many', config(many), '$.consumers', /at most 64 entries, found 65/],
  ];
  for (const [name, value, path, problem] of wrong)
    it(`cannot have ${name}`, () => {
      const faults = faultsOf(value);
      assert.deepEqual(
        faults.map((fault) => fault.path),
        [path],
      );
      assert.match(faults[0]?.problem ?? '', problem);
    });
});
