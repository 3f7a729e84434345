/** The cameras of a fleet and the files of its nodes: an edit on one is on all, and no file that missed it undoes it. */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileOf, FleetFiles } from '../../../lab/fleet-files';

describe('the cameras of a fleet', () => {
  test('are those of its first node, then those of the newest edit, and each file keeps its comments and own keys', async (t) => {
    const world = new FleetFiles(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1'], '\n  "log": { "level": "debug" },'));
    assert.deepEqual([a.ids, b.ids, b.copies.length], ['c1', 'c1', 0]);
    await a.save(fileOf(['c1', 'c2']));
    await world.tell();
    assert.equal(b.ids, 'c1,c2');
    assert.match(b.text, /\/\/ of this machine/);
    assert.match(b.text, /"level": "debug"/);
    assert.match(b.text, /\/\/ the last/);
    assert.doesNotMatch(a.text, /debug/);
    assert.ok(a.said(/^published revision 2 of the fleet's cameras: adds camera c2$/));
    assert.ok(b.said(/^applies revision 2 of the fleet's cameras from node "a": adds camera c2$/));
    await b.add('c3');
    await world.tell();
    assert.deepEqual([a.ids, b.ids], ['c1,c2,c3', 'c1,c2,c3']);
    assert.deepEqual([a.fleetFile.state?.revision, a.fleetFile.state?.node], [3, 'b']);
    assert.equal(a.fleetFile.id, b.fleetFile.id);
    assert.deepEqual([a.copies, b.copies], [[], []]);
  });

  test("are no longer changed by an edit of keys that are the node's own", async (t) => {
    const world = new FleetFiles(t);
    const a = await world.start('a', fileOf(['c1']));
    await a.save(fileOf(['c1'], '\n  "log": { "level": "warn" },'));
    assert.deepEqual([a.running?.logLevel, a.fleetFile.state?.revision], ['warn', 1]);
  });

  test('are those of the fleet on a node that joins with others, whose file is kept', async (t) => {
    const world = new FleetFiles(t);
    await world.start('a', fileOf(['c1']));
    const mine = fileOf(['mine']);
    const b = await world.start('b', mine);
    assert.deepEqual([b.ids, b.copies], ['c1', [mine]]);
    assert.ok(b.said(/has other cameras than revision 1 of the fleet.*is kept in .*replaced-configuration/));
    const [name = ''] = readdirSync(path.join(b.dir, 'data', 'replaced-configuration'));
    assert.equal(statSync(path.join(b.dir, 'data', 'replaced-configuration', name)).mode & 0o777, 0o600);
  });

  test('are not undone by the file of a node that was away, edited or not', async (t) => {
    const world = new FleetFiles(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    const c = await world.start('c', fileOf(['c1']));
    b.stop();
    c.stop();
    await a.save(fileOf(['c2']));
    const edited = fileOf(['c1', 'late']);
    const back = await world.start('b', edited);
    assert.deepEqual([back.ids, back.copies], ['c2', [edited]]);
    const same = await world.start('c');
    assert.deepEqual([same.ids, same.copies], ['c2', []]);
    await world.tell();
    assert.equal(a.ids, 'c2');
  });

  test('are those of a file edited while its node was stopped, if there was no other edit', async (t) => {
    const world = new FleetFiles(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    b.stop();
    await world.start('b', fileOf(['c1', 'c2']));
    await world.tell();
    assert.deepEqual([a.ids, a.fleetFile.state?.revision], ['c1,c2', 2]);
  });

  test('change once with two simultaneous edits: the other one is refused, and loses nothing', async (t) => {
    const world = new FleetFiles(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    await a.add('c2');
    // Not notified yet.
    await assert.rejects(b.add('c3'), (error: Error & { code?: string }) => {
      assert.match(
        error.message,
        /another edit of the fleet came first: revision 2, published by node "a"; nothing/,
      );
      return error.code === 'changed-meanwhile';
    });
    const mine = fileOf(['c1', 'c4']);
    await b.save(mine);
    assert.deepEqual([b.ids, b.copies], ['c1,c2', [mine]]);
    await world.tell();
    assert.deepEqual([a.ids, b.ids], ['c1,c2', 'c1,c2']);
    await b.add('c3');
    await world.tell();
    assert.equal(a.ids, 'c1,c2,c3');
  });

  test('are used on a node whose file is read-only, which says that it differs, also after a restart', async (t) => {
    const world = new FleetFiles(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    chmodSync(b.file, 0o444);
    await a.add('c2');
    await world.tell();
    assert.equal(b.ids, 'c1,c2');
    assert.match(b.fleetFile.state?.differs ?? '', /read-only/);
    assert.ok(b.said(/differ from the fleet's, which are used: .*read-only/));
    b.stop();
    const again = await world.start('b');
    assert.deepEqual([again.ids, again.copies], ['c1,c2', []]);
    await again.add('c3');
    await world.tell();
    assert.deepEqual([a.ids, again.ids], ['c1,c2,c3', 'c1,c2,c3']);
    chmodSync(again.file, 0o644);
    await again.see();
    assert.equal(again.fleetFile.state?.differs, undefined);
    assert.match(again.text, /"c3"/);
  });

  test('are written again by the node that knows the newest when etcd has lost its data', async (t) => {
    const world = new FleetFiles(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    b.stop();
    await a.add('c2');
    world.entry = undefined;
    a.stop();
    // It has missed the newest edit, and is back first.
    const old = await world.start('b');
    assert.equal(old.ids, 'c1');
    const back = await world.start('a');
    await world.tell();
    assert.deepEqual([back.ids, old.ids], ['c1,c2', 'c1,c2']);
    world.entry = undefined;
    const fresh = await world.start('z', fileOf(['z']));
    await world.tell();
    await world.tell();
    assert.deepEqual([fresh.ids, back.ids, fresh.copies.length], ['c1,c2', 'c1,c2', 1]);
  });

  test('stay as they are when etcd is away at an edit, of which nothing is applied until it is back', async (t) => {
    const world = new FleetFiles(t);
    const a = await world.start('a', fileOf(['c1']));
    world.isAway = true;
    await assert.rejects(a.add('c2'), (error: Error & { code?: string }) => {
      assert.match(
        error.message,
        /could not be published to the fleet \(etcd at e cannot be reached.*nothing was changed/,
      );
      return error.code === 'fleet-away';
    });
    assert.equal(a.text, fileOf(['c1']));
    await a.save(fileOf(['c1', 'c3'], '\n  "log": { "level": "warn" },'));
    assert.deepEqual([a.ids, a.running?.logLevel], ['c1', 'info']);
    assert.match(a.problems, /are not shared with the fleet yet: etcd at e cannot be reached/);
    world.isAway = false;
    a.shared.answers();
    await a.live.reload();
    assert.deepEqual([a.ids, a.running?.logLevel, a.problems], ['c1,c3', 'warn', '']);
  });

  test('count as published if the answer of etcd was lost', async (t) => {
    const world = new FleetFiles(t);
    const a = await world.start('a', fileOf(['c1']));
    const { transact } = world.etcd;
    world.etcd.transact = async (...given) => {
      await transact(...given);
      return false;
    };
    await a.add('c2');
    assert.equal(a.fleetFile.state?.revision, 2);
  });

  test('reach a node whose file is broken, and repairing the file later undoes nothing', async (t) => {
    const world = new FleetFiles(t);
    const a = await world.start('a', fileOf(['c1']));
    const b = await world.start('b', fileOf(['c1']));
    await b.save('{');
    await a.add('c2');
    await world.tell();
    await world.tell();
    assert.deepEqual([b.ids, b.text], ['c1,c2', '{']);
    assert.match(b.problems, /is not JSON/);
    await b.save(fileOf(['c1']));
    assert.deepEqual([b.ids, b.problems], ['c1,c2', '']);
    await world.tell();
    assert.equal(a.ids, 'c1,c2');
  });
});
