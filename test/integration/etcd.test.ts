/** The etcd client on three real nodes: leases, transactions, watches, and how they fare when nodes fail. */
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { Etcd, type KeyValue, type EtcdAccess, type EtcdEvent } from '../../src/etcd/etcd';
import { startEtcd, type EtcdCluster } from '../../lab/etcd-cluster';
import { FaultProxy } from '../../lab/fault-proxy';
import { waitUntil } from '../../lab/process';

let cluster: EtcdCluster;
let used = 0;

before(async () => {
  cluster = await startEtcd();
});
after(() => cluster.stop());

function client(t: TestContext, access: Partial<EtcdAccess> = {}): Etcd {
  const etcd = new Etcd({ endpoints: cluster.endpoints, ...access });
  t.after(() => etcd.close());
  return etcd;
}

/** A prefix for the keys of one test. */
function newPrefix(): string {
  return `/t${used++}/`;
}

/** The keys and values that a watcher knows. */
class Mirror {
  readonly values = new Map<string, string>();
  snapshots = 0;
  fault: string | undefined;
  readonly watcher = {
    onSnapshot: (entries: readonly KeyValue[]) => {
      this.snapshots++;
      this.values.clear();
      for (const { key, value } of entries) this.values.set(key, value);
    },
    onEvents: (events: readonly EtcdEvent[]) => {
      for (const event of events)
        if (event.kind === 'put') this.values.set(event.entry.key, event.entry.value);
        else this.values.delete(event.key);
    },
    onFault: (fault: { code: string } | undefined) => {
      this.fault = fault?.code;
    },
  };
}

describe('etcd', () => {
  test('creates a key once, however many try, and changes it only at the revision that was read', async (t) => {
    const etcd = client(t);
    const key = `${newPrefix()}one`;
    const tries = ['a', 'b', 'c', 'd'].map((value) =>
      etcd.transact([{ key, is: 'absent' }], [{ put: key, value }]),
    );
    assert.equal((await Promise.all(tries)).filter(Boolean).length, 1);
    const found = await etcd.get(key);
    assert.ok(found !== undefined && 'abcd'.includes(found.value));
    const { modRevision } = found;
    assert.equal(await etcd.transact([{ key, modRevision }], [{ put: key, value: 'e' }]), true);
    assert.equal(await etcd.transact([{ key, modRevision }], [{ put: key, value: 'f' }]), false);
    assert.equal((await etcd.get(key))?.value, 'e');
    assert.equal(await etcd.transact([{ key, lease: '0' }], [{ remove: key }]), true);
    assert.equal(await etcd.get(key), undefined);
  });

  test('keeps a key for as long as its lease is renewed, and notifies the watcher when it is deleted', async (t) => {
    const etcd = client(t);
    const prefix = newPrefix();
    const mirror = new Mirror();
    etcd.watch(prefix, mirror.watcher);
    const lease = await etcd.grant(1);
    await etcd.put(`${prefix}k`, 'v', lease);
    assert.equal((await etcd.get(`${prefix}k`))?.lease, lease);
    await waitUntil('the watcher sees the key', () => mirror.values.get(`${prefix}k`) === 'v');
    assert.equal(await etcd.keepAlive(lease), true);
    await waitUntil('the key goes with its lease', () => mirror.values.size === 0);
    assert.equal(await etcd.keepAlive(lease), false);
    await assert.rejects(etcd.put(`${prefix}k`, 'v', lease), { code: 'etcd-lease' });
  });

  test('continues with the next node when one dies or freezes, and its watch misses nothing', async (t) => {
    const etcd = client(t);
    const other = client(t, { endpoints: [...cluster.endpoints].reverse() });
    const prefix = newPrefix();
    const mirror = new Mirror();
    etcd.watch(prefix, mirror.watcher);
    await etcd.put(`${prefix}first`, '1');
    await waitUntil('the first change is seen', () => mirror.values.size === 1);
    const [first, second] = cluster.nodes;
    await first?.kill();
    // If it was the leader, no node answers until another is elected.
    await waitUntil('a change is taken', () =>
      other.put(`${prefix}second`, '2').then(
        () => true,
        () => false,
      ),
    );
    await waitUntil('and seen', () => mirror.values.has(`${prefix}second`));
    await first?.start();
    await cluster.answers();

    second?.signal('SIGSTOP');
    t.after(() => second?.signal('SIGCONT'));
    await waitUntil('a change is taken', () =>
      other.put(`${prefix}third`, '3').then(
        () => true,
        () => false,
      ),
    );
    // A watch on a frozen node is silent, not broken: a client that misses an event must ask for it.
    await waitUntil('and seen', () => {
      if (mirror.values.has(`${prefix}third`)) return true;
      etcd.rewatch();
      return new Promise((resolve) => setTimeout(resolve, 300, false));
    });
    second?.signal('SIGCONT');
    assert.equal(mirror.snapshots, 1);
  });

  test('delivers each event once while its network is deaf, over whatever connections it has', async (t) => {
    const proxies = await Promise.all(
      cluster.endpoints.map((endpoint) => FaultProxy.start(Number(new URL(endpoint).port))),
    );
    t.after(() => Promise.all(proxies.map((proxy) => proxy.stop())));
    const etcd = client(t, { endpoints: proxies.map(({ port }) => `http://127.0.0.1:${port}`) });
    const key = `${newPrefix()}heard`;
    for (const proxy of proxies) {
      await etcd.get(key);
      assert.equal(proxy.connections, 1);
      etcd.rewatch();
    }
    const heard: EtcdEvent[] = [];
    const mirror = new Mirror();
    client(t).watch(key, { ...mirror.watcher, onEvents: (events) => heard.push(...events) });
    await waitUntil('the watch has begun', () => mirror.snapshots > 0);
    for (const proxy of proxies) proxy.network = { kind: 'deaf' };
    await assert.rejects(etcd.put(key, 'v'), { code: 'etcd-away' });
    await assert.rejects(etcd.put(key, 'v'), { code: 'etcd-away' });
    assert.equal(heard.length, 1);
    for (const proxy of proxies) proxy.network = { kind: 'sound' };
    await etcd.put(key, 'v');
  });

  test('takes a new snapshot if the missed revisions were compacted', async (t) => {
    const etcd = client(t);
    const prefix = newPrefix();
    for (const value of ['1', '2', '3']) await etcd.put(`${prefix}k`, value);
    const { revision } = await etcd.list(prefix);
    const answer = await fetch(`${cluster.endpoints[0] ?? ''}/v3/kv/compaction`, {
      method: 'POST',
      body: JSON.stringify({ revision: String(revision), physical: true }),
    });
    assert.equal(answer.status, 200);
    // A watcher that saw the first change last.
    const mirror = new Mirror();
    const list = etcd.list.bind(etcd);
    let lists = 0;
    etcd.list = async (of) => {
      const snapshot = await list(of);
      return lists++ === 0 ? { ...snapshot, revision: revision - 3 } : snapshot;
    };
    etcd.watch(prefix, mirror.watcher);
    await waitUntil('it reads everything again', () => mirror.snapshots === 2);
    await etcd.put(`${prefix}k`, '4');
    await waitUntil('it sees new changes', () => mirror.values.get(`${prefix}k`) === '4');
  });

  test('is reported if it cannot be reached, or is not etcd', async (t) => {
    await assert.rejects(client(t, { endpoints: ['http://127.0.0.1:1'] }).grant(5), (error: Error) => {
      assert.match(error.message, /^etcd at 127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)$/);
      return (error as { code?: string }).code === 'etcd-away';
    });
  });

  test('requires the login, and reports a wrong one', async (t) => {
    const post = async (path: string, body: object, token?: string) => {
      const answer = await fetch(`${cluster.endpoints[0] ?? ''}/v3/auth/${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        ...(token === undefined ? {} : { headers: { authorization: token } }),
      });
      assert.equal(answer.status, 200, await answer.clone().text());
      return (await answer.json()) as { token?: string };
    };
    await post('user/add', { name: 'root', password: 'p:ä/ "' });
    await post('role/add', { name: 'root' });
    await post('user/grant', { user: 'root', role: 'root' });
    await post('user/add', { name: 'poor', password: 'x' });
    await post('enable', {});
    try {
      const login = { username: 'root', password: 'p:ä/ "' };
      const etcd = client(t, login);
      await etcd.put(`${newPrefix()}k`, 'v');
      await assert.rejects(client(t).list('/x/'), { code: 'etcd-login' });
      await assert.rejects(client(t, { ...login, password: 'wrong' }).list('/x/'), { code: 'etcd-login' });
      await assert.rejects(client(t, { username: 'poor', password: 'x' }).list('/x/'), {
        code: 'etcd-denied',
      });
    } finally {
      const { token } = await post('authenticate', { name: 'root', password: 'p:ä/ "' });
      await post('disable', {}, token);
    }
    await assert.rejects(client(t, { username: 'root', password: 'x' }).grant(5), { code: 'etcd-login' });
  });
});
