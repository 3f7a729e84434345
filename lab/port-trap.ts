/** Clients and programs of others on the ports of our servers. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { connect, type Channel } from 'amqplib';
import Redis from 'ioredis';

/** Works on a channel of a connection that is closed afterwards. */
export async function withQueue<T>(amqpUrl: string, work: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = await connect(amqpUrl);
  connection.on('error', () => undefined);
  try {
    return await work(await connection.createChannel());
  } finally {
    await connection.close();
  }
}

/** A program of user 65534 that listens where our servers did, and reports all that it hears. */
export async function setTrap(urls: readonly string[]): Promise<{ heard(): string; close(): Promise<void> }> {
  const ports = urls.map((url) => Number(new URL(url).port));
  const program = `
    let listening = 0;
    for (const port of ${JSON.stringify(ports)})
      require('node:net').createServer((socket) => {
        socket.on("error", () => undefined).on("data", (data) => { process.stdout.write(data); socket.end(); });
      }).listen(port, '127.0.0.1', () => { if (++listening === 2) process.stderr.write('set'); });`;
  const child = spawn(process.execPath, ['-e', program], { uid: 65_534, gid: 65_534, cwd: '/', env: {} });
  let heard = '';
  child.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
  const [output] = (await once(child.stderr, 'data')) as [Buffer];
  assert.equal(output.toString(), 'set');
  return {
    heard: () => heard,
    close: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Listens where one of our servers did, as a program of another user may. */
export async function occupy({ port }: URL): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(
    Number(port),
    '127.0.0.1',
  );
  await once(server, 'listening');
  return server;
}

/** Logs in at a server of ours with another password than its URL has. */
export async function connectWith(url: string, password: string): Promise<void> {
  const changed = new URL(url);
  changed.password = password;
  if (changed.protocol === 'amqp:') {
    const connection = await connect(changed.href);
    await connection.close();
    return;
  }
  const redis = new Redis(changed.href, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}
