/** Both kits over TLS: they trust only a server whose certificate names it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { LIFE_MS, servers, Stage, temporaryFolder } from '../../lab/consumer-stage';
import { picture } from '../../lab/one-picture';
import { waitUntil as until } from '../../lab/process';
import { clusterPort, startRedis } from '../../lab/redis';
import { KITS, startConsumer, type Kit } from '../../lab/spawn-consumer';
import { startTlsProxy } from '../../lab/tls-proxy';

function certificate(folder: string, name: string, subject: string): { cert: string; key: string } {
  const [cert, key] = [path.join(folder, `${name}.pem`), path.join(folder, `${name}.key`)];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...request, '-subj', '/CN=redis', '-addext', `subjectAltName=${subject}`], {
    stdio: 'ignore',
  });
  return { cert, key };
}

/** Certificates of a server at 127.0.0.1, and of one elsewhere. */
async function certificates(t: TestContext) {
  const folder = await temporaryFolder(t);
  const own = certificate(folder, 'own', 'IP:127.0.0.1');
  return { own, others: certificate(folder, 'others', 'DNS:elsewhere.example') };
}

/** @param ca the authority of another server than that of `urls` */
async function refuses(t: TestContext, kit: Kit, stage: Stage, urls: object, ca: string, code: string) {
  const consumer = await startConsumer(t, kit, { queue: stage.queue }, { ...servers, ...urls }, ca);
  await until('it says why', () => consumer.of('fault').length > 0);
  assert.equal(consumer.of('fault')[0]?.code, code);
  assert.match(consumer.of('fault')[0]?.message ?? '', /certificate|TLS handshake/i);
  await consumer.process.end();
}

describe('a consumer over TLS', { concurrency: 3 }, () => {
  for (const kit of KITS) {
    for (const [scheme, options] of [
      ['rediss', []],
      ['rediss-cluster', ['cluster-enabled yes', 'tls-cluster yes', 'cluster-announce-ip 127.0.0.1']],
    ] as const)
      it(`${kit}, ${scheme}: fetches only from a server whose certificate names it, and reports why it refuses others`, async (t) => {
        const stage = await Stage.open(t);
        const { own, others } = await certificates(t);
        const start = async ({ cert, key }: typeof own) => {
          const port = await clusterPort();
          const tls = [
            `tls-port ${port}`,
            `tls-cert-file ${cert}`,
            `tls-key-file ${key}`,
            'tls-auth-clients no',
          ];
          const group = await startRedis([...tls, `tls-ca-cert-file ${cert}`, ...options]);
          t.after(() => group.stop());
          const [server] = group.servers;
          assert.ok(server !== undefined);
          if (options.length > 0) {
            await server.command('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
            await until('it serves', async () =>
              /state:ok/.test(String(await server.command('CLUSTER', 'INFO'))),
            );
          }
          return { server, redisUrl: `${scheme}://127.0.0.1:${port}` };
        };
        const [good, bad] = [await start(own), await start(others)];
        const frame = stage.frame(await picture('jpeg'));
        await good.server.command('SET', stage.key(frame), 'picture', 'PX', LIFE_MS);
        stage.announce(frame);
        const refused = ({ redisUrl }: typeof good) =>
          refuses(t, kit, stage, { redisUrl }, others.cert, 'redis-unreachable');
        await Promise.all([refused(good), refused(bad)]);
        const { redisUrl } = good;
        const consumer = await startConsumer(
          t,
          kit,
          { queue: stage.queue },
          { ...servers, redisUrl },
          own.cert,
        );
        await consumer.until('processed', 1);
      });

    it(`${kit}, amqps: consumes only from a server whose certificate names it, and reports why it refuses others`, async (t) => {
      const stage = await Stage.open(t);
      const { own, others } = await certificates(t);
      const start = async (identity: typeof own) => {
        const { url, proxy } = await startTlsProxy(servers.amqpUrl, identity);
        t.after(() => proxy.close());
        return url;
      };
      const [good, bad] = [await start(own), await start(others)];
      await stage.send();
      const refused = (amqpUrl: string) =>
        refuses(t, kit, stage, { amqpUrl }, others.cert, 'rabbitmq-unreachable');
      await Promise.all([refused(good), refused(bad)]);
      const given = { ...servers, amqpUrl: good };
      const consumer = await startConsumer(t, kit, { queue: stage.queue }, given, own.cert);
      await consumer.until('processed', 1);
    });
  }
});
