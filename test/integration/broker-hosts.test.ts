/** How the connect helper of daemon and consumer kit tries the hosts of a cluster: one real RabbitMQ behind proxies. */
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import type { ChannelModel } from 'amqplib';
import { connectBroker, leaveHost } from '../../src/connections/rabbitmq';
import { FaultProxy } from '../../lab/fault-proxy';
import { waitUntil } from '../../lab/process';
import { testServers } from '../../lab/servers';

const CLOSED = 1;

describe('the hosts of a cluster', () => {
  const proxies: FaultProxy[] = [];
  const silent: { server: Server; sockets: Socket[] }[] = [];
  const opened: { connection: ChannelModel; over: AbortController }[] = [];

  afterEach(async () => {
    for (const { over } of opened.splice(0)) over.abort();
    await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
    for (const { server, sockets } of silent.splice(0)) {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  async function proxy(): Promise<FaultProxy> {
    const started = await FaultProxy.start(Number(new URL(testServers().amqpUrl).port));
    proxies.push(started);
    return started;
  }

  /** Accepts connections and never sends anything; returns the connections it got. */
  async function frozen(): Promise<{ port: number; sockets: Socket[] }> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      sockets.push(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    silent.push({ server, sockets });
    return { port: (server.address() as { port: number }).port, sockets };
  }

  function urlOf(...ports: number[]): string {
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
    return testServers().amqpUrl.replace(/127\.0\.0\.1:\d+/, hosts);
  }

  async function open(url: string): Promise<ChannelModel> {
    const over = new AbortController();
    const connection = await connectBroker(url, 'test of hosts', over.signal);
    connection.on('error', () => undefined);
    opened.push({ connection, over });
    return connection;
  }

  test('a host that lost its connection is tried behind the others', async () => {
    const [one, two] = [await proxy(), await proxy()];
    const url = urlOf(one.port, two.port);
    const connection = await open(url);
    assert.deepEqual([one.connections, two.connections], [1, 0]);
    const closed = new Promise((resolve) => connection.once('close', resolve));
    one.network = { kind: 'reset' };
    await closed;
    one.network = { kind: 'sound' };
    await open(url);
    await waitUntil('one is left', () => one.connections === 0);
    assert.equal(two.connections, 1);
  });

  test('a host that is reachable but useless is left by the client that notices', async () => {
    const [one, two] = [await proxy(), await proxy()];
    const url = urlOf(one.port, two.port);
    leaveHost(await open(url));
    await open(url);
    assert.deepEqual([one.connections, two.connections], [1, 1]);
    const third = await open(url);
    leaveHost(third);
    await open(url);
    assert.deepEqual([one.connections, two.connections], [2, 2]);
  });

  test('a frozen host costs a second the first time, and nothing later', async () => {
    const [ice, two] = [await frozen(), await proxy()];
    const url = urlOf(ice.port, two.port);
    const begun = performance.now();
    await open(url);
    assert.ok(performance.now() - begun < 4000, 'the five seconds of a connection that is not answered');
    assert.equal(ice.sockets.length, 1);
    await waitUntil('it is given up', () => ice.sockets.every((socket) => socket.destroyed));
    await open(url);
    assert.equal(ice.sockets.length, 1, 'it was not tried again');
    assert.equal(two.connections, 2);
  });

  test('two frozen hosts do not prevent a connection to the third', async () => {
    const [ice, snow, three] = [await frozen(), await frozen(), await proxy()];
    const begun = performance.now();
    await open(urlOf(ice.port, snow.port, three.port));
    assert.ok(performance.now() - begun < 4500);
  });

  test('a host that refuses is skipped at once, even after a frozen one', async () => {
    const [ice, three] = [await frozen(), await proxy()];
    await open(urlOf(ice.port, CLOSED, three.port));
    assert.equal(three.connections, 1);
  });

  test('if no host works, each is tried and the error of the last is thrown', async () => {
    const one = await proxy();
    one.network = { kind: 'reset' };
    await assert.rejects(open(urlOf(one.port, CLOSED)), /ECONNREFUSED/);
  });

  test('an attempt that is aborted before it opens leaves nothing behind', async () => {
    const [ice, snow] = [await frozen(), await frozen()];
    const over = new AbortController();
    const opening = connectBroker(urlOf(ice.port, snow.port), 'test of hosts', over.signal);
    await waitUntil('both are tried', () => ice.sockets.length + snow.sockets.length === 2);
    over.abort();
    await assert.rejects(opening);
    await waitUntil('both are left', () =>
      [...ice.sockets, ...snow.sockets].every(({ destroyed }) => destroyed),
    );
  });
});
