/** Servers reached over TLS: rediss:// and amqps://, with a certificate the operator trusts. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { Server } from 'node:tls';
import { startDaemon } from '../../lab/daemon';
import { startHttpCamera } from '../../lab/feeds/http-camera';
import { waitUntil } from '../../lab/process';
import { getdel, listen, newNamespace, remoteServers } from '../../lab/events';
import { clusterPort, startRedis, type RedisServer } from '../../lab/redis';
import { startTlsProxy } from '../../lab/tls-proxy';

describe('servers over TLS', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-tls-'));
  const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')];
  const proxies: Server[] = [];

  /** Terminates TLS in front of a server of the test run; resolves with the TLS port. */
  const encrypted = async (url: string): Promise<string> => {
    const started = await startTlsProxy(url, { key, cert });
    proxies.push(started.proxy);
    return started.url;
  };

  before(() => {
    const subject = ['-subj', '/CN=vigil-test', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
    execFileSync('openssl', ['req', '-x509', ...keys, '-out', cert, '-days', '2', ...subject], {
      stdio: 'ignore',
    });
  });

  after(() => {
    for (const proxy of proxies) proxy.close();
    rmSync(dir, { recursive: true });
  });

  test('frames are stored and announced', async () => {
    const namespace = newNamespace();
    const { redis, rabbitmq } = remoteServers();
    const events = await listen(namespace);
    const daemon = startDaemon({
      config: {
        namespace,
        redis: await encrypted(redis),
        rabbitmq: await encrypted(rabbitmq),
        cameras: [{ id: 'cam', test: 'testsrc2', width: 160 }],
      },
      env: { NODE_EXTRA_CA_CERTS: cert },
    });
    const [frame] = (await events.gotFrames('cam', 2)).slice(-1);
    assert.ok(await getdel(frame?.key ?? ''));
    assert.equal(await daemon.stop(), 0);
    await events.close();
  });

  /** Starts a server with TLS on a second port, which is the one announced to its peers and clients. */
  const startTls = async (
    t: TestContext,
    ...options: string[]
  ): Promise<{ server: RedisServer; port: number }> => {
    const port = await clusterPort();
    const tls = ['tls-replication yes', 'tls-auth-clients no', `tls-port ${port}`];
    const files = [`tls-cert-file ${cert}`, `tls-key-file ${key}`, `tls-ca-cert-file ${cert}`];
    const redis = await startRedis(['save ""', ...tls, ...files, ...options]);
    t.after(() => redis.stop());
    const [server] = redis.servers;
    assert.ok(server !== undefined);
    return { server, port };
  };

  const groups: readonly (readonly [
    string,
    (t: TestContext) => Promise<{ url: string; data: RedisServer }>,
  ])[] = [
    [
      'the Sentinels and the primary that they name',
      async (t) => {
        const { server: data, port } = await startTls(t);
        const watching = `sentinel monitor mymaster 127.0.0.1 ${port} 1`;
        const sentinel = await startTls(t, watching);
        return { data, url: `rediss-sentinel://127.0.0.1:${sentinel.port}/2?name=mymaster` };
      },
    ],
    [
      'the nodes of a Cluster',
      async (t) => {
        const node = ['cluster-enabled yes', 'tls-cluster yes', 'cluster-announce-ip 127.0.0.1'];
        const { server: data, port } = await startTls(t, ...node);
        await data.command('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
        return { data, url: `rediss-cluster://127.0.0.1:${port}` };
      },
    ],
  ];
  for (const [whom, start] of groups)
    test(`${whom} are contacted over TLS, and only if the server is trusted`, async (t) => {
      const { url, data } = await start(t);
      const namespace = newNamespace();
      const events = await listen(namespace);
      const cameras = [{ id: 'cam', test: 'testsrc2', width: 160 }];
      const config = { namespace, redis: url, rabbitmq: remoteServers().rabbitmq, cameras };
      const daemon = startDaemon({ config, env: { NODE_EXTRA_CA_CERTS: cert } });
      await events.gotFrames('cam', 2);
      const keyspace = String(await data.command('INFO', 'keyspace'));
      assert.match(keyspace, url.includes('sentinel') ? /^db2:keys/m : /^db0:keys/m);
      assert.equal(await daemon.stop(), 0);
      await events.close();
      const untrusting = startDaemon({ config: { ...config, cameras: [] } });
      await untrusting.said(/^redis at rediss-\S+ .*(over TLS|Sentinel|cluster)/);
      assert.equal(await untrusting.stop(), 0);
      assert.doesNotMatch(untrusting.output(), /redis is ready/);
    });

  test('unverified cameras are reported once, and so are passwords sent to them by Basic', async () => {
    const asking = await startHttpCamera(
      ({ headers }, response) => {
        if (headers.authorization === undefined)
          response.writeHead(401, { 'www-authenticate': 'Basic realm="cam"' }).end();
        else response.writeHead(404).end();
      },
      { key: readFileSync(key), cert: readFileSync(cert) },
    );
    const still = asking.url('/', 'viewer:hush');
    const daemon = startDaemon({
      config: {
        ...remoteServers(),
        ...{ namespace: newNamespace(), cameraDefaults: { rate: 5 } },
        cameras: [
          { id: 'any', still },
          { id: 'known', still, tls: { ca: cert } },
        ],
      },
    });
    await daemon.said(/^the certificate of any is not verified: /);
    await daemon.said(/^asks for the password by Basic, and its identity is not verified/);
    await waitUntil('both were asked again', () => asking.requests.length > 8);
    assert.equal(await daemon.stop(), 0);
    await asking.stop();
    for (const pattern of [/asks for the password by Basic/g, /is not verified: /g])
      assert.equal(daemon.output().match(pattern)?.length, 1);
    assert.doesNotMatch(daemon.output(), /hush/);
  });

  test('a certificate without a trusted signer is refused and reported', async () => {
    const { redis, rabbitmq } = remoteServers();
    const daemon = startDaemon({
      config: { redis: await encrypted(redis), rabbitmq: await encrypted(rabbitmq), cameras: [] },
    });
    await daemon.said(/^redis at rediss:\S+ failed the TLS handshake \(\w*SELF_SIGNED\w*\)/);
    await daemon.said(/^rabbitmq at amqps:\S+ failed the TLS handshake/);
    assert.equal(await daemon.stop(), 0);
  });
});
