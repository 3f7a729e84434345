/** What each network of the proxy does to a client and a server, seen from both ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { describe, it, type TestContext } from 'node:test';
import { waitUntil } from '../../../lab/process';
import { FaultProxy } from '../../../lab/fault-proxy';

interface End {
  readonly socket: Socket;
  received: string;
  /** Code of its error, or `end` for a clean end. */
  over: string | undefined;
}

function watch(socket: Socket): End {
  const end: End = { socket, received: '', over: undefined };
  socket.setEncoding('utf8').on('data', (text: string) => (end.received += text));
  socket.on('error', (error: NodeJS.ErrnoException) => (end.over ??= error.code ?? 'error'));
  socket.on('end', () => (end.over ??= 'end'));
  socket.on('close', () => (end.over ??= 'close'));
  return end;
}

async function bench(t: TestContext) {
  const accepted: End[] = [];
  const server = createServer((socket) => accepted.push(watch(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await FaultProxy.start((server.address() as AddressInfo).port);
  const clients: Socket[] = [];
  const open = async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    clients.push(socket);
    const client = watch(socket);
    await once(socket, 'connect').catch(() => undefined);
    return client;
  };
  t.after(async () => {
    for (const socket of clients) socket.destroy();
    for (const { socket } of accepted) socket.destroy();
    await proxy.stop();
    server.close();
  });
  const openPair = async () => {
    const count = accepted.length;
    const client = await open();
    await waitUntil('the server has the connection', () => accepted.length > count);
    const [last] = accepted.slice(-1);
    assert.ok(last);
    return [client, last] as const;
  };
  return { proxy, open, openPair, accepted };
}

async function got(end: End, text: string): Promise<void> {
  await waitUntil(`"${text.slice(0, 20)}" arrives`, () => end.received === text, 5000).catch(() =>
    assert.equal(end.received, text),
  );
}

describe('a network that is', () => {
  it('sound carries bytes both ways, many of them, and a clean end', async (t) => {
    const { openPair, proxy } = await bench(t);
    const [client, server] = await openPair();
    const much = 'x'.repeat(3_000_000);
    client.socket.write(much);
    server.socket.write('answer');
    await got(server, much);
    await got(client, 'answer');
    client.socket.end();
    await waitUntil('the server sees the end', () => server.over === 'end');
    await waitUntil('no connection is left', () => proxy.connections === 0);
  });

  it('slow delays every byte by its latency, in order', async (t) => {
    const { openPair, proxy } = await bench(t);
    const [client, server] = await openPair();
    proxy.network = { kind: 'latency', ms: 150 };
    const startedAt = performance.now();
    for (const part of ['a', 'b', 'c']) client.socket.write(part);
    await got(server, 'abc');
    server.socket.write('d');
    await got(client, 'd');
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs >= 290, `${tookMs} ms there and back`);
    client.socket.write('e');
    await waitUntil('the proxy has read it', () => client.socket.writableLength === 0);
    proxy.network = { kind: 'sound' };
    client.socket.write('f');
    await got(server, 'abcef');
  });

  it('a black hole keeps connections open and lets nothing pass, until it is sound again', async (t) => {
    const { openPair, open, proxy, accepted } = await bench(t);
    const [client, server] = await openPair();
    proxy.network = { kind: 'black-hole' };
    client.socket.write('lost?');
    const late = await open();
    late.socket.write('late');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual([server.received, client.over, late.over], ['', undefined, undefined]);
    proxy.network = { kind: 'sound' };
    await got(server, 'lost?');
    const [second] = accepted.slice(-1);
    assert.ok(second);
    await got(second, 'late');
  });

  it('a black hole makes a sender stall as if the receiver did not read', async (t) => {
    const { openPair, proxy } = await bench(t);
    const [client] = await openPair();
    proxy.network = { kind: 'black-hole' };
    client.socket.write(Buffer.alloc(50_000_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(client.socket.writableLength > 30_000_000, String(client.socket.writableLength));
  });

  it('mute or deaf lets bytes pass in one direction, and on no new connection', async (t) => {
    for (const kind of ['mute', 'deaf'] as const) {
      const { openPair, open, proxy, accepted } = await bench(t);
      const [client, server] = await openPair();
      proxy.network = { kind };
      client.socket.write('question');
      server.socket.write('answer');
      await got(kind === 'mute' ? client : server, kind === 'mute' ? 'answer' : 'question');
      const late = await open();
      late.socket.write('late');
      await new Promise((resolve) => setTimeout(resolve, 100));
      const [deprived, last] = [kind === 'mute' ? server : client, accepted.at(-1)];
      assert.deepEqual([deprived.received, last?.received], ['', '']);
      proxy.network = { kind: 'sound' };
      await got(deprived, kind === 'mute' ? 'question' : 'answer');
      assert.ok(last);
      await got(last, 'late');
    }
  });

  it('resetting ends both sides with ECONNRESET, and every new connection', async (t) => {
    const { openPair, open, proxy } = await bench(t);
    const [client, server] = await openPair();
    proxy.network = { kind: 'reset' };
    await waitUntil('both are over', () => client.over !== undefined && server.over !== undefined);
    assert.deepEqual([client.over, server.over], ['ECONNRESET', 'ECONNRESET']);
    const late = await open();
    await waitUntil('the new one is over', () => late.over !== undefined);
    proxy.network = { kind: 'sound' };
    await openPair();
  });

  it('half open leaves the client alone with a connection that has gone, while new ones pass', async (t) => {
    const { openPair, proxy } = await bench(t);
    const [client, server] = await openPair();
    proxy.network = { kind: 'half-open' };
    await waitUntil('the server has lost it', () => server.over !== undefined);
    client.socket.write('into the void');
    const [late, lateServer] = await openPair();
    late.socket.write('hello');
    await got(lateServer, 'hello');
    assert.equal(client.over, undefined);
    proxy.network = { kind: 'sound' };
    await waitUntil('the client learns it', () => client.over === 'ECONNRESET');
    assert.equal(late.over, undefined);
  });

  it('a slow reader takes no more than its bytes a second, and answers at full speed', async (t) => {
    const { openPair, proxy } = await bench(t);
    const [client, server] = await openPair();
    proxy.network = { kind: 'slow-reader', bytesPerSecond: 100_000 };
    const startedAt = performance.now();
    client.socket.write('x'.repeat(50_000));
    server.socket.write('y'.repeat(1_000_000));
    await got(client, 'y'.repeat(1_000_000));
    await got(server, 'x'.repeat(50_000));
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs > 350, `${tookMs} ms`);
  });
});
