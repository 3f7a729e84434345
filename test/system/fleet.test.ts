/** Three daemons, three etcd nodes: each camera runs on one, and no second is announced twice, whatever fails. */
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { MAIN } from '../../lab/daemon';
import { startEtcd, type EtcdCluster } from '../../lab/etcd-cluster';
import { FaultProxy } from '../../lab/fault-proxy';
import { Fleet, type Node } from '../../lab/fleet';
import { run, waitUntil } from '../../lab/process';

const CAMERAS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'];
/** The last renewal may precede the kill by a second, and the keys move to the new lease one by one. */
const WITHIN_LEASE_MS = 3000;

let cluster: EtcdCluster;
before(async () => {
  cluster = await startEtcd();
});
after(() => cluster.stop());

function open(t: TestContext): Promise<Fleet> {
  const cameras = CAMERAS.map((id) => ({ id, test: 'testsrc2', width: 64 }));
  return Fleet.open({ etcd: cluster.endpoints, cameras, after: (close) => t.after(close) });
}

describe('a fleet', () => {
  test('shares cameras, survives the kill of a node and a restart, and drains another', async (t) => {
    const fleet = await open(t);
    const nodes = ['a', 'b', 'c'].map((name) => fleet.start(name));
    const [a, b, c] = nodes as [Node, Node, Node];
    await fleet.shared(nodes);
    await waitUntil('each has its share', async () => {
      const { nodes: known } = await fleet.status(a);
      return known.length === 3 && known.every(({ cameras }) => cameras >= 1 && cameras <= 3);
    });
    await fleet.announcing();
    const owners = await fleet.shared(nodes);
    await waitUntil('each event names its node', () =>
      [...owners].every(([id, owner]) => fleet.events.frames(id).at(-1)?.node === owner),
    );
    for (const id of CAMERAS)
      for (const { node } of fleet.events.states(id)) assert.match(node ?? '', /^[abc]$/);

    a.daemon.signal('SIGKILL');
    await a.daemon.exited;
    const after = await fleet.shared([b, c]);
    for (const [id, owner] of owners)
      if (owner !== 'a') assert.equal(after.get(id), owner, `${id} has moved`);
    await fleet.announcing();
    fleet.assertOnce();

    const again = fleet.start('a', { dir: a.daemon.dir });
    await waitUntil('it is a member again', async () => {
      const known = await fleet.status(b);
      return known.nodes.some(({ name }) => name === 'a');
    });
    await again.daemon.said(/node "a" of fleet ".*" is a member/);
    const drained = await run(process.execPath, [MAIN, 'drain', '--json', '--data-dir', b.daemon.dataDir]);
    const said = JSON.parse(drained.stdout.toString()) as { cameras: number; ended: boolean };
    assert.deepEqual([drained.code, said.ended, said.cameras > 0], [0, true, true]);
    assert.equal(await b.daemon.exited, 0, b.daemon.output());
    assert.ok(
      b.daemon.log.some(({ message }) => message.startsWith('drained: ')),
      b.daemon.output(),
    );
    await fleet.shared([again, c]);
    await fleet.announcing();
    fleet.assertOnce();
    await fleet.assertSeen(c);
  });

  test('moves nothing when a node is back before its lease ends', async (t) => {
    const fleet = await open(t);
    const nodes = ['a', 'b'].map((name) => fleet.start(name));
    const [a, b] = nodes as [Node, Node];
    await fleet.shared(nodes);
    await fleet.announcing();
    const before = await fleet.shared(nodes);
    const taken = () => b.daemon.log.filter(({ message }) => message.startsWith('took ')).length;
    const takenBefore = taken();
    const killedMs = performance.now();
    a.daemon.signal('SIGKILL');
    await a.daemon.exited;
    const again = fleet.start('a', { dir: a.daemon.dir });
    await again.daemon.said(/node "a" of fleet ".*" is a member/);
    const backMs = performance.now() - killedMs;
    await fleet.announcing();
    const afterwards = await fleet.shared([again, b]);
    // If the machine is so busy that the start outlasts the lease, b rightly owns the cameras.
    if (backMs < WITHIN_LEASE_MS) assert.equal(taken(), takenBefore, b.daemon.output());
    if (taken() === takenBefore) assert.deepEqual([...afterwards].sort(), [...before].sort());
    t.diagnostic(`back after ${Math.round(backMs)} ms`);
    fleet.assertOnce();
  });

  test('announces no second twice while a node cut off from etcd captures cameras that others have adopted', async (t) => {
    const fleet = await open(t);
    const proxies = await Promise.all(
      cluster.endpoints.map((endpoint) => FaultProxy.start(Number(new URL(endpoint).port))),
    );
    t.after(() => Promise.all(proxies.map((proxy) => proxy.stop())));
    const a = fleet.start('a', { etcd: proxies.map(({ port }) => `http://127.0.0.1:${port}`) });
    const b = fleet.start('b');
    await fleet.shared([a, b]);
    await fleet.announcing();
    const before = await fleet.shared([a, b]);
    const own = [...before].filter(([, owner]) => owner === 'a').map(([id]) => id);
    assert.ok(own.length > 0);
    for (const proxy of proxies) proxy.network = { kind: 'black-hole' };
    await a.daemon.said(/has not reached etcd for 5 s/);
    await fleet.shared([b]);
    // Both nodes capture them: a continues until it learns of the change.
    await waitUntil('b runs them', () =>
      own.every((id) => b.daemon.log.some(({ message }) => message === `camera:${id} runs`)),
    );
    await fleet.announcing();
    await fleet.announcing();
    fleet.assertOnce();
    for (const proxy of proxies) proxy.network = { kind: 'sound' };
    await waitUntil('a stops them', async () => {
      const { children } = await a.daemon.status();
      const mine = new Set(
        [...(await fleet.status(b)).cameras].filter(({ node }) => node === 'a').map(({ id }) => id),
      );
      const { state } = await fleet.status(a);
      return (
        state === 'member' &&
        children
          .filter(({ kind }) => kind === 'camera')
          .every(({ name }) => mine.has(name.slice('camera:'.length)))
      );
    });
    await fleet.announcing();
    fleet.assertOnce();
  });
});
