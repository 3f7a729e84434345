/** Cameras that move between nodes of a fleet: what consumers see at the hand-over. */
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { askDaemon } from '../../src/control/client';
import { startEtcd, type EtcdCluster } from '../../lab/etcd-cluster';
import { clip } from '../../lab/feeds/clips';
import { startRtspServer, type RtspServer } from '../../lab/feeds/rtsp';
import { Fleet, type Node } from '../../lab/fleet';
import { waitUntil } from '../../lab/process';

const MOUNTS = ['/c1', '/c2', '/c3', '/c4'];
const PERIOD_MS = 1000;

let cluster: EtcdCluster;
let feed: RtspServer;
before(async () => {
  const mount = { clip: await clip({ codec: 'h264' }), codec: 'h264', fps: 10 } as const;
  const mounts = Object.fromEntries(MOUNTS.map((path) => [path, mount]));
  [cluster, feed] = await Promise.all([startEtcd({ size: 1 }), startRtspServer({ mounts })]);
});
after(async () => {
  await Promise.all([cluster.stop(), feed.stop()]);
});

async function open(t: TestContext, settings: object = {}): Promise<Fleet> {
  const cameras = MOUNTS.map((path) => ({
    ...{ id: path.slice(1), url: `rtsp://127.0.0.1:${feed.port}${path}`, transport: 'tcp' },
    ...settings,
  }));
  return Fleet.open({ etcd: cluster.endpoints, cameras, after: (close) => t.after(close) });
}

/** Milliseconds between successive announced pictures of a camera, and whether another node sent the later one. */
function distances(fleet: Fleet, id: string): { ms: number; isHandover: boolean }[] {
  const frames = fleet.events.frames(id).toSorted((a, b) => a.sequence - b.sequence);
  return frames.slice(1).map(({ capturedAt, node }, i) => ({
    ms: capturedAt - (frames[i]?.capturedAt ?? 0),
    isHandover: node !== frames[i]?.node,
  }));
}

function drain({ daemon }: Node): Promise<unknown> {
  return askDaemon(daemon.dataDir, '/drain', {});
}

describe('a camera of a fleet', () => {
  test('that moves, for balance or because its node drains, misses no period and gives no two pictures close together', async (t) => {
    const fleet = await open(t);
    const a = fleet.start('a');
    await fleet.shared([a]);
    await fleet.announcing();
    const b = fleet.start('b');
    await waitUntil('b has its share', async () => {
      const { cameras } = await fleet.seenBy(b);
      return cameras.filter(({ node }) => node === 'b').length === MOUNTS.length / 2;
    });
    await fleet.announcing();
    const balanced = (await fleet.status(b)).cameras.filter(({ node }) => node === 'b');
    for (const { from, because } of balanced) assert.deepEqual([from, because], ['a', 'balance']);
    await drain(a);
    assert.equal(await a.daemon.exited, 0, a.daemon.output());
    await fleet.shared([b]);
    await fleet.announcing();
    const all = fleet.ids.flatMap((id) => distances(fleet, id).map((each) => ({ id, ...each })));
    const handovers = all.filter(({ isHandover }) => isHandover);
    assert.equal(new Set(handovers.map(({ id }) => id)).size, MOUNTS.length, 'each has moved');
    t.diagnostic(`at hand-overs: ${handovers.map(({ id, ms }) => `${id} ${ms}`).join(', ')} ms`);
    for (const { id, ms } of handovers) assert.ok(ms >= PERIOD_MS / 2, `${id}: pictures ${ms} ms apart`);
    // If the machine is too busy for its cameras, intervals without a move show it too.
    const steady = Math.max(...all.filter(({ isHandover }) => !isHandover).map(({ ms }) => ms));
    for (const { id, ms } of handovers)
      assert.ok(ms <= Math.max(1.5 * PERIOD_MS, steady), `${id}: a hole of ${ms} ms; elsewhere ${steady} ms`);
    fleet.assertOnce();
  });

  test('that allows one viewer is stopped before the other node starts it', async (t) => {
    const fleet = await open(t, { sessions: 1 });
    const [a, b] = [fleet.start('a'), fleet.start('b')];
    await fleet.shared([a, b]);
    await fleet.announcing();
    const mine = (await fleet.status(a)).cameras.filter(({ node }) => node === 'a').map(({ id }) => id);
    assert.ok(mine.length > 0);
    await drain(a);
    assert.equal(await a.daemon.exited, 0, a.daemon.output());
    await fleet.shared([b]);
    await fleet.announcing();
    for (const id of mine) {
      const sinceMs = (on: string, wanted: string) =>
        fleet.events.states(id).findLast(({ node, state }) => node === on && state === wanted)?.sinceMs ??
        NaN;
      const [stopped, begun] = [sinceMs('a', 'stopped'), sinceMs('b', 'connecting')];
      assert.ok(begun >= stopped, JSON.stringify(fleet.events.states(id)));
    }
    fleet.assertOnce();
  });
});
