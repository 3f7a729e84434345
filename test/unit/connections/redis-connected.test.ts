/** Waiting for Redis ends, whatever the server does. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { openRedis } from '../../../src/connections/redis';
import { connectRedis } from '../../../src/connections/redis-connected';
import { redisFault } from '../../../src/connections/redis-fault';

/** The port of a server that answers every chunk with what `answer` says. */
async function serve(t: TestContext, answer: (text: string) => string | undefined): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const said = answer(chunk.toString());
      if (said !== undefined) socket.write(said);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

const options = { lazyConnect: true, retryStrategy: null, enableOfflineQueue: false };

describe('connectRedis', () => {
  for (const kind of ['redis', 'redis-cluster'])
    it(`over ${kind}:// gives up a server that accepts the connection and sends nothing`, async (t) => {
      const url = `${kind}://127.0.0.1:${await serve(t, () => undefined)}`;
      const client = openRedis(url, options);
      client.on('error', () => undefined);
      await assert.rejects(connectRedis(client, 300), (error: Error) => {
        assert.match(redisFault(url, error).code, /redis-(timeout|cluster-down)/);
        return true;
      });
    });

  it('ends with its signal, even one that was aborted before', async (t) => {
    const url = `redis://127.0.0.1:${await serve(t, () => undefined)}`;
    for (const signal of [AbortSignal.abort(), AbortSignal.timeout(50)]) {
      const client = openRedis(url, options);
      client.on('error', () => undefined);
      await assert.rejects(connectRedis(client, 60_000, signal), /given up/);
    }
  });
});
