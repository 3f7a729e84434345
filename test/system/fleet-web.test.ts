/** Edits of a fleet by the HTTP API of its nodes, and a camera for one viewer on a node that etcd has lost. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { startEtcd, type EtcdCluster } from '../../lab/etcd-cluster';
import { FaultProxy } from '../../lab/fault-proxy';
import { Fleet, type Node } from '../../lab/fleet';
import { freePort } from '../../lab/free-port';
import { waitUntil } from '../../lab/process';

/** Enough for a camera to start and a lease to end on a busy machine. */
const LONG_MS = 60_000;

let cluster: EtcdCluster;
before(async () => {
  cluster = await startEtcd({ size: 1 });
});
after(() => cluster.stop());

function open(t: TestContext, ids: readonly string[], camera: object = {}): Promise<Fleet> {
  const cameras = ids.map((id) => ({ id, test: 'testsrc2', width: 64, ...camera }));
  return Fleet.open({ etcd: cluster.endpoints, cameras, after: (close) => t.after(close) });
}

interface Answer {
  readonly status: number;
  readonly tag: string;
  readonly text: string;
}

async function ask(port: number, camera: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/api/cameras/${camera}`, init);
  return { status: response.status, tag: response.headers.get('etag') ?? '', text: await response.text() };
}

function patch(port: number, camera: string, tag: string, settings: object): Promise<Answer> {
  const headers = { 'If-Match': tag, 'Content-Type': 'application/json' };
  return ask(port, camera, { method: 'PATCH', headers, body: JSON.stringify(settings) });
}

describe('a fleet over HTTP', () => {
  test('lets one of two edits at once win, and refuses the other with 412; without etcd it refuses with 503', async (t) => {
    const fleet = await open(t, ['c1', 'c2', 'c3', 'c4']);
    const names = ['a', 'b'];
    const ports = [await freePort(), await freePort()];
    const nodes = names.map((name, i) => fleet.start(name, { config: { http: { port: ports[i] } } }));
    // A node shows only the cameras it runs; the tag covers its whole file.
    let seats: { port: number; camera: string; tag: string }[] = [];
    const areServed = async () => {
      const cameras = (await fleet.seenBy(nodes[0] as Node)).cameras;
      const asked = names.map(async (name, i) => {
        const [port = 0, camera = ''] = [ports[i], cameras.find(({ node }) => node === name)?.id];
        const none = { status: 0, tag: '', text: '' };
        return { port, camera, ...(await ask(port, camera).catch(() => none)) };
      });
      const answers = await Promise.all(asked);
      seats = answers;
      return answers.every(({ status, camera }) => camera !== '' && status === 200);
    };
    await waitUntil('each node serves a camera of its own', areServed, LONG_MS);

    const answers = await Promise.all(
      seats.map(({ port, camera, tag }, i) => patch(port, camera, tag, { quality: 60 + i })),
    );
    const statuses = answers.map(({ status }) => status);
    assert.deepEqual(statuses.toSorted(), [200, 412], JSON.stringify(answers));
    const winner = `"quality": ${60 + statuses.indexOf(200)}`;
    const textOf = ({ daemon }: Node) => readFileSync(path.join(daemon.dir, 'actors.json'), 'utf8');
    const haveIt = () => nodes.every((node) => textOf(node).replaceAll(/:\s*/g, ': ').includes(winner));
    await waitUntil('both files have it', haveIt, LONG_MS);
    for (const { port, camera, tag } of seats)
      assert.equal((await patch(port, camera, tag, { quality: 99 })).status, 412, 'the tag is old');

    const [etcd] = cluster.nodes;
    etcd?.signal('SIGSTOP');
    t.after(() => etcd?.signal('SIGCONT'));
    const away = await patch(seats[0]?.port ?? 0, seats[0]?.camera ?? '', '*', { quality: 98 });
    etcd?.signal('SIGCONT');
    assert.equal(away.status, 503, away.text);
    assert.match(away.text, /could not be published to the fleet \(etcd at \S+ cannot be reached/);
    for (const node of nodes) assert.doesNotMatch(textOf(node), /"quality":\s*9/);
  });

  test('stops a camera that allows one viewer, on a node cut off from etcd, before another node has a picture of it', async (t) => {
    const fleet = await open(t, ['gate'], { sessions: 1 });
    const proxy = await FaultProxy.start(Number(new URL(cluster.endpoints[0] ?? '').port));
    t.after(() => proxy.stop());
    const a = fleet.start('a', { etcd: [`http://127.0.0.1:${proxy.port}`] });
    await fleet.shared([a]);
    await fleet.announcing();
    const b = fleet.start('b');
    await b.daemon.said(/node "b" of fleet ".*" is a member/);
    proxy.network = { kind: 'black-hole' };
    await a.daemon.said(/has not reached etcd for 5 s/);
    const ofB = () => fleet.events.frames('gate').find(({ node }) => node === 'b');
    await waitUntil('b announces it', () => ofB() !== undefined, LONG_MS);
    const children = (await a.daemon.status()).children.map(({ name }) => name);
    assert.ok(!children.includes('camera:gate'), children.join());
    const last = fleet.events
      .frames('gate')
      .filter(({ node }) => node === 'a')
      .at(-1);
    assert.ok((last?.capturedAt ?? Infinity) < (ofB()?.capturedAt ?? 0), 'a has captured beside b');
    fleet.assertOnce();
    proxy.network = { kind: 'sound' };
    await a.daemon.said(/etcd answers again/);
    await fleet.announcing();
    assert.equal(fleet.events.frames('gate').at(-1)?.node, 'b');
  });
});
