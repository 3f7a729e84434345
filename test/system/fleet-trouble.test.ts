/** What nodes report when a fleet has a fault: etcd away, a name in use, a wrong clock, another configuration. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { startEtcd, type EtcdCluster } from '../../lab/etcd-cluster';
import { FaultProxy } from '../../lab/fault-proxy';
import { Fleet } from '../../lab/fleet';
import { waitUntil } from '../../lab/process';

const CLOCK = path.resolve(__dirname, '../fixtures/settable-clock.cjs');
const AHEAD_MS = 2000;
const EXIT_UNAVAILABLE = 69;

let cluster: EtcdCluster;
before(async () => {
  cluster = await startEtcd();
});
after(() => cluster.stop());

function open(t: TestContext): Promise<Fleet> {
  const cameras = [{ id: 'gate', test: 'testsrc2', width: 64 }];
  return Fleet.open({ etcd: cluster.endpoints, cameras, after: (close) => t.after(close) });
}

describe('a node of a fleet', { concurrency: 2 }, () => {
  for (const kind of ['reset', 'black-hole'] as const)
    test(`whose etcd is away (${kind}) at the start says so, waits, and runs cameras when etcd answers`, async (t) => {
      const fleet = await open(t);
      const proxy = await FaultProxy.start(Number(new URL(cluster.endpoints[0] ?? '').port));
      t.after(() => proxy.stop());
      proxy.network = { kind };
      const node = fleet.start('a', { etcd: [`http://127.0.0.1:${proxy.port}`] });
      await node.daemon.said(
        /^etcd at \S+ cannot be reached .*; this node waits for etcd before it takes cameras/,
      );
      assert.deepEqual(fleet.events.frames('gate'), []);
      proxy.network = { kind: 'sound' };
      await fleet.announcing();
    });

  test('with the name of another node is refused with the address of that node, exit code 69', async (t) => {
    const fleet = await open(t);
    const first = fleet.start('a');
    await fleet.announcing();
    const second = fleet.start('a');
    assert.equal(await second.daemon.exited, EXIT_UNAVAILABLE, second.daemon.output());
    const said = second.daemon.output();
    assert.match(said, /of this fleet is the daemon with pid \d+ .*give this one another .*fleet\.node/);
    assert.ok(said.includes(`with pid ${first.daemon.pid} on`), said);
    await fleet.announcing();
  });

  test('warns, like its peer, of a clock that is two seconds ahead, and shows it', async (t) => {
    const fleet = await open(t);
    const a = fleet.start('a');
    const dir = mkdtempSync(path.join(tmpdir(), 'vigil-clock-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const file = path.join(dir, 'clock');
    writeFileSync(file, String(AHEAD_MS));
    const env = { NODE_OPTIONS: `--require ${CLOCK}`, NODE_VIGIL_CLOCK_FILE: file };
    const b = fleet.start('b', { env });
    await a.daemon.said(
      /^the clock of node b is [12]\.\d s ahead of this one's; keep all nodes' clocks together/,
    );
    await b.daemon.said(/^the clock of node a is 2\.\d s behind this one's; keep all nodes' clocks together/);
    const { nodes } = await fleet.status(a);
    const skewMs = nodes.find(({ name }) => name === 'b')?.skewMs ?? 0;
    assert.ok(skewMs > AHEAD_MS / 2 && skewMs <= AHEAD_MS, String(skewMs));
    assert.equal(nodes.find(({ name }) => name === 'a')?.skewMs, undefined);
  });

  test('in another namespace is named in a warning', async (t) => {
    const fleet = await open(t);
    const a = fleet.start('a');
    await fleet.announcing();
    const b = fleet.start('b', { config: { namespace: `${fleet.namespace}other` } });
    await a.daemon.said(/^node b runs by another configuration than this node/);
    await b.daemon.said(/^node a runs by another configuration than this node/);
    await waitUntil('the first keeps its camera', async () => {
      const { cameras } = await fleet.status(a);
      return cameras.some(({ id, node }) => id === 'gate' && node === 'a');
    });
  });
});
