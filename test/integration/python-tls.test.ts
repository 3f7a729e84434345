/** The Python package over TLS: it takes a server whose certificate names it, and no other. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { LIFE_MS, servers, Stage, temporaryFolder } from '../../lab/consumer-stage';
import { picture } from '../../lab/one-picture';
import { waitUntil as until } from '../../lab/process';
import { startPython } from '../../lab/python-consumer';
import { clusterPort, startRedis } from '../../lab/redis';

function certificate(folder: string, name: string, subject: string): { cert: string; key: string } {
  const [cert, key] = [path.join(folder, `${name}.pem`), path.join(folder, `${name}.key`)];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...request, '-subj', '/CN=redis', '-addext', `subjectAltName=${subject}`], {
    stdio: 'ignore',
  });
  return { cert, key };
}

describe('a Python consumer over TLS', { concurrency: true }, () => {
  for (const [scheme, options] of [
    ['rediss', []],
    ['rediss-cluster', ['cluster-enabled yes', 'tls-cluster yes']],
  ] as const)
    it(`${scheme}: fetches from a server whose certificate names it, and says why from no other`, async (t) => {
      const stage = await Stage.open(t);
      const folder = await temporaryFolder(t);
      const own = certificate(folder, 'own', 'IP:127.0.0.1');
      const others = certificate(folder, 'others', 'DNS:elsewhere.example');
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
        return { server, url: `${scheme}://127.0.0.1:${port}` };
      };
      const [good, bad] = [await start(own), await start(others)];
      const bytes = await picture('jpeg');
      const frame = stage.frame(bytes);
      await good.server.command('SET', stage.key(frame), 'picture', 'PX', LIFE_MS);
      stage.announce(frame);
      const common = { queue: stage.queue, delivery_limit: 5 };
      const endpoints = (redis: string) => ({ endpoints: { amqp: servers.amqpUrl, redis } });
      for (const [url, trusted] of [
        [good.url, others.cert],
        [bad.url, others.cert],
      ] as const) {
        const refusing = await startPython(t, { ...endpoints(url), ...common, ca_file: trusted });
        await until('it says why', () => refusing.of('fault').length > 0);
        assert.equal(refusing.of('fault')[0]?.code, 'redis-unreachable');
        assert.match(refusing.of('fault')[0]?.message ?? '', /certificate/i);
        await refusing.process.end();
      }
      const consumer = await startPython(t, { ...endpoints(good.url), ...common, ca_file: own.cert });
      await consumer.until('processed', 1);
    });
});
