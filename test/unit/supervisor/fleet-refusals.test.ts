/** Cameras of a fleet that a node cannot run: without a variable, without the key of their credentials, or none at all. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileOf, FleetFiles, SECRET, SECRET_TEXT } from '../../../lab/fleet-files';

describe('the cameras of a fleet', () => {
  test('are refused as a whole by a node that cannot run them, which reports the revision and the reason', async (t) => {
    const world = new FleetFiles(t);
    const environment = { PLACE: 'cam.example' };
    const a = await world.start('a', fileOf(['c1']), { environment });
    const b = await world.start('b', fileOf(['c1']));
    const settings = { url: 'rtsp://${PLACE}/x' };
    await a.live.edit({ edit: { kind: 'put', camera: 'c2', settings } });
    assert.match(world.entry?.value ?? '', /rtsp:\/\/\$\{PLACE\}\/x/);
    await world.tell();
    assert.deepEqual([b.ids, b.text], ['c1', fileOf(['c1'])]);
    assert.match(b.live.state.refused ?? '', /^revision 2 of the fleet's cameras, published by node "a",$/);
    assert.match(b.problems, /\$\.cameras\[1\]\.url the environment variable PLACE is not set/);
    await a.live.edit({ edit: { kind: 'remove', camera: 'c2' } });
    await world.tell();
    assert.deepEqual([b.ids, b.problems, b.live.state.refused], ['c1', '', undefined]);
  });

  test('have their credentials sealed in etcd and in what nodes keep, and are opened with the key alone', async (t) => {
    const world = new FleetFiles(t);
    const options = { secret: SECRET, environment: { VIGIL_FLEET_KEY: SECRET_TEXT } };
    const login = '\n  "cameraDefaults": { "username": "canary-user", "password": "canary-one" },';
    const text = fileOf(['c1'], login).replace(
      '"test": "testsrc2"',
      '"url": "rtsp://u:canary-two@cam.example/x"',
    );
    const a = await world.start('a', text, options);
    const b = await world.start('b', fileOf([]), options);
    assert.equal(b.text.match(/canary/g)?.length, 3);
    assert.doesNotMatch(world.entry?.value ?? 'canary', /canary/);
    assert.match(world.entry?.value ?? '', /"url":\{"sealed":\d\}/);
    const kept = () => readFileSync(path.join(b.dir, 'data', 'fleet-configuration.json'), 'utf8');
    assert.doesNotMatch(kept(), /canary/);
    const without = await world.start('c', fileOf(['c9']));
    assert.deepEqual([without.ids, without.fleetFile.isSettled], ['', false]);
    assert.match(
      without.problems,
      /has sealed credentials; set VIGIL_FLEET_KEY on this node to the key of that node/,
    );
    await assert.rejects(without.add('c8'), { code: 'fleet-away' });
    const other = await world.start('d', fileOf(['c9']), { ...options, secret: Buffer.alloc(32, 8) });
    assert.match(
      other.problems,
      /cannot be unsealed: VIGIL_FLEET_KEY of this node is not the key of that node/,
    );
    // A client that can write to etcd cannot have a password sent elsewhere.
    a.stop();
    const { id, ...rest } = JSON.parse(world.entry?.value ?? '') as { id: string; cameras: object[] };
    const cameras = rest.cameras.map((camera) => ({ ...camera, rate: 2 }));
    world.put(JSON.stringify({ ...rest, id: `${id}x`, revision: 7, cameras }));
    await world.tell();
    assert.match(b.problems, /or the revision was changed in etcd/);
    assert.equal(b.running?.cameras[0]?.periodMs, 1000);
  });

  test('are absent if etcd has something else in their place, which every node reports', async (t) => {
    const world = new FleetFiles(t);
    world.put('"hello"');
    const a = await world.start('a', fileOf(['c1']));
    assert.match(
      a.problems,
      /the key \/vigil\/f\/configuration in etcd is not the configuration of a fleet; remove that key/,
    );
    assert.equal(a.fleetFile.isSettled, false);
  });
});
