/** etcd over TLS with client certificates, and with users: what is accepted, and the fault for each wrong credential. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test, type TestContext } from 'node:test';
import { Etcd, type EtcdAccess } from '../../src/etcd/etcd';
import { Certificates } from '../../lab/certificates';
import { startEtcd, type EtcdCluster } from '../../lab/etcd-cluster';
import { waitUntil } from '../../lab/process';

const dir = mkdtempSync(path.join(tmpdir(), 'vigil-etcd-tls-'));
const certificates = new Certificates(dir);
const pem = (name: string) => certificates.pem(name);

describe('etcd over TLS', () => {
  let cluster: EtcdCluster;
  const client = (t: TestContext, access: Partial<EtcdAccess>) => {
    const etcd = new Etcd({ endpoints: cluster.endpoints, ...access });
    t.after(() => etcd.close());
    return etcd;
  };
  const own = () => ({ ca: pem('ca.pem'), cert: pem('node.pem'), key: pem('node.key') });

  before(async () => {
    for (const authority of ['ca', 'other']) certificates.make(authority);
    for (const signed of ['server', 'node']) certificates.make(signed, { by: 'ca' });
    certificates.make('stranger', { by: 'other' });
    certificates.make('nameless', { by: 'ca', subject: '/O=vigil' });
    const files = ['--cert-file', certificates.at('server.pem'), '--key-file', certificates.at('server.key')];
    const tls = [...files, '--client-cert-auth', '--trusted-ca-file', certificates.at('ca.pem')];
    cluster = await startEtcd({ size: 1, tls });
  });
  after(async () => {
    await cluster.stop();
    rmSync(dir, { recursive: true });
  });

  test('accepts a node by its certificate, for requests and watches', async (t) => {
    const etcd = client(t, own());
    await waitUntil(
      'etcd answers',
      () =>
        etcd.put('/t/k', '1').then(
          () => true,
          () => false,
        ),
      60_000,
    );
    const seen: string[] = [];
    etcd.watch('/t/', {
      onSnapshot: (entries) => seen.push(...entries.map(({ value }) => value)),
      onEvents: (events) =>
        seen.push(...events.flatMap((event) => (event.kind === 'put' ? event.entry.value : []))),
      onFault: () => undefined,
    });
    await waitUntil('the snapshot is seen', () => seen.length === 1);
    await etcd.put('/t/k', '2');
    await waitUntil('the change is seen', () => seen.join() === '1,2');
  });

  for (const [name, access] of [
    ['no certificate', () => ({ ca: pem('ca.pem') })],
    [
      'a certificate of another authority',
      () => ({ ca: pem('ca.pem'), cert: pem('stranger.pem'), key: pem('stranger.key') }),
    ],
    ['another authority for etcd', () => ({ ...own(), ca: pem('other.pem') })],
    ['no authority for etcd', () => ({ cert: pem('node.pem'), key: pem('node.key') })],
  ] as const)
    test(`reports that TLS failed, and what to check, with ${name}`, async (t) => {
      await assert.rejects(client(t, access()).list('/t/'), (error: Error & { code?: string }) => {
        assert.match(
          error.message,
          /^no TLS connection to etcd at 127\.0\.0\.1:\d+ \(.*\); check fleet\.ca, fleet\.cert and fleet\.key$/,
        );
        assert.equal(error.code, 'etcd-tls');
        return true;
      });
    });

  test('requires the password of a user beside the certificate if etcd has users', async (t) => {
    const nameless = { ca: pem('ca.pem'), cert: pem('nameless.pem'), key: pem('nameless.key') };
    const root = client(t, nameless);
    const url = new URL(cluster.endpoints[0] ?? '').host;
    const post = async (call: string, body: object, token?: string) => {
      const headers = token === undefined ? {} : { authorization: token };
      const asking = request(`https://${url}/v3/auth/${call}`, { method: 'POST', headers, ...nameless });
      asking.end(JSON.stringify(body));
      const [response] = (await once(asking, 'response')) as [IncomingMessage];
      const answer = await text(response);
      assert.equal(response.statusCode, 200, answer);
      return JSON.parse(answer) as { token?: string };
    };
    await root.put('/vigil/f/k', 'v');
    for (const [name, password] of [
      ['root', 'r'],
      ['vigil', 'p:ä'],
    ]) {
      await post('user/add', { name, password });
      await post('role/add', { name });
      await post('user/grant', { user: name, role: name });
    }
    const base64 = (key: string) => Buffer.from(key).toString('base64');
    const perm = { permType: 'READWRITE', key: base64('/vigil/'), range_end: base64('/vigil0') };
    await post('role/grant', { name: 'vigil', perm });
    await post('enable', {});
    try {
      const etcd = client(t, { ...nameless, username: 'vigil', password: 'p:ä' });
      assert.equal((await etcd.get('/vigil/f/k'))?.value, 'v');
      await assert.rejects(client(t, { ...own(), username: 'vigil', password: 'p:ä' }).get('/vigil/f/k'), {
        code: 'etcd-tls',
        message: `etcd at ${url} has users, and then takes no client certificate with a common name over HTTP; give fleet.cert a certificate whose subject has no CN`,
      });
      await assert.rejects(etcd.put('/elsewhere', 'v'), { code: 'etcd-denied' });
      await assert.rejects(
        client(t, { ...nameless, username: 'vigil', password: 'wrong' }).get('/vigil/f/k'),
        {
          code: 'etcd-login',
          message: `etcd at ${url} rejects the login (etcdserver: authentication failed, invalid user ID or password); check fleet.username and fleet.password`,
        },
      );
    } finally {
      const { token } = await post('authenticate', { name: 'root', password: 'r' });
      await post('disable', {}, token);
    }
  });
});
