/** Waiting for Redis ends, whatever the server does. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { openRedis } from '../../../src/connections/redis';
import { connectRedis } from '../../../src/connections/redis-connected';
import { redisFault } from '../../../src/connections/redis-fault';
import { listen } from '../../../lab/loopback-server';

/** The port of a server that accepts connections and sends nothing. */
async function serve(t: TestContext): Promise<number> {
  const { port, stop } = await listen(net.createServer((socket) => socket.on('error', () => undefined)));
  t.after(stop);
  return port;
}

const options = {
  ...{ lazyConnect: true, retryStrategy: null, enableOfflineQueue: false },
  // Milliseconds; a Cluster's client asks once more after its end.
  disconnectTimeout: 100,
};

describe('connectRedis', () => {
  for (const kind of ['redis', 'redis-cluster'])
    it(`over ${kind}:// gives up a server that accepts the connection and sends nothing`, async (t) => {
      const url = `${kind}://127.0.0.1:${await serve(t)}`;
      const client = openRedis(url, options);
      client.on('error', () => undefined);
      await assert.rejects(connectRedis(client, 300), (error: Error) => {
        assert.match(redisFault(url, error).code, /redis-(timeout|cluster-down)/);
        return true;
      });
    });

  it('ends with its signal, even one that was aborted before', async (t) => {
    const url = `redis://127.0.0.1:${await serve(t)}`;
    for (const signal of [AbortSignal.abort(), AbortSignal.timeout(50)]) {
      const client = openRedis(url, options);
      client.on('error', () => undefined);
      await assert.rejects(connectRedis(client, 60_000, signal), /given up/);
    }
  });
});
