/** A stage for one consumer on the run's private servers, and what can be done to the way there. Import it in a test file only. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { Redis } from 'ioredis';
import sharp from 'sharp';
import {
  consumeFrames,
  deadLetterName,
  defaultQueue,
  frameExchange,
  frameKey,
  routingKey,
  type ConsumerFault,
  type ConsumerOptions,
  type Frame,
  type FrameConsumer,
  type FrameFormat,
  type FrameHandler,
} from '../src/consumer';
import { frameSampled } from '../src/contract/events';
import { testServers } from './servers';

export const servers = testServers();
export const DELIVERY_LIMIT = 2;
/** How long pictures stay in Redis: longer than any test takes, on a machine that is busy with others too. */
export const LIFE_MS = 600_000;

export let redis: Redis;
export let channel: Channel;
let broker: ChannelModel;

before(async () => {
  redis = new Redis(servers.redisUrl, { lazyConnect: true });
  await redis.connect();
  broker = await connect(servers.amqpUrl);
  channel = await broker.createChannel();
});

after(async () => {
  await broker.close();
  redis.disconnect();
});

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`did not happen within 60 s: ${what}`);
    await sleep(20);
  }
}

const pictures = new Map<string, Promise<Buffer>>();

/** What sharp makes. */
export type PictureFormat = Exclude<FrameFormat, 'h264' | 'h265'>;

/** An encoded orange picture. */
export function picture(format: PictureFormat, width = 64, height = 48): Promise<Buffer> {
  const id = `${format} ${width}x${height}`;
  const background = { r: 250, g: 130, b: 20 };
  const made = sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer();
  const known = pictures.get(id) ?? made;
  pictures.set(id, known);
  return known;
}

/** A stage of its own for one test: namespace, exchange, queue, dead-letter queue. */
export class Stage {
  readonly namespace = `test-${randomBytes(6).toString('hex')}`;
  readonly queue = defaultQueue(this.namespace);
  readonly dead = deadLetterName(this.queue);
  readonly faults: ConsumerFault[] = [];
  starts = 0;
  #sequence = 0;

  static async open(t: TestContext): Promise<Stage> {
    const stage = new Stage();
    await stage.declare();
    t.after(() => stage.#remove());
    return stage;
  }

  async declare(): Promise<void> {
    await channel.assertExchange(frameExchange(this.namespace), 'topic', { durable: true });
    await channel.assertExchange(this.dead, 'fanout', { durable: true });
    await channel.assertQueue(this.dead, { durable: true });
    await channel.bindQueue(this.dead, this.dead, '');
    await channel.assertQueue(this.queue, {
      durable: true,
      deadLetterExchange: this.dead,
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERY_LIMIT },
    });
    await channel.bindQueue(this.queue, frameExchange(this.namespace), routingKey('*', 'frame'));
  }

  async #remove(): Promise<void> {
    await channel.deleteQueue(this.queue);
    await channel.deleteQueue(this.dead);
    await channel.deleteExchange(this.dead);
    await channel.deleteExchange(frameExchange(this.namespace));
    const keys = await redis.keys(`${this.namespace}:*`);
    if (keys.length > 0) await redis.unlink(keys);
  }

  /** A frame of this stage, each a second after the one before. */
  frame(bytes: Buffer, format: FrameFormat = 'jpeg', camera = 'gate'): Frame {
    this.#sequence += 1;
    const capturedAt = 1_700_000_000_123 + this.#sequence * 1000;
    const sequence = Math.floor(capturedAt / 1000);
    return { camera, capturedAt, sequence, width: 64, height: 48, format, bytes: bytes.length };
  }

  announce(frame: Frame): void {
    this.publish(this.announcement(frame));
  }

  announcement(frame: Frame): Buffer {
    return Buffer.from(JSON.stringify(frameSampled(this.namespace, frame, false, frame.capturedAt)));
  }

  publish(body: Buffer): void {
    channel.publish(frameExchange(this.namespace), routingKey('gate', 'frame'), body);
  }

  key(frame: Frame): string {
    return frameKey(this.namespace, frame);
  }

  /** Stores and announces one frame, as the daemon does. */
  async send(format: PictureFormat = 'jpeg', bytes?: Buffer, store: Redis = redis): Promise<Frame> {
    const content = bytes ?? (await picture(format));
    const frame = this.frame(content, format);
    await store.set(this.key(frame), content, 'PX', LIFE_MS);
    this.announce(frame);
    return frame;
  }

  async consume(
    t: TestContext,
    handler: FrameHandler,
    options: Partial<ConsumerOptions> = {},
  ): Promise<FrameConsumer> {
    const consumer = await consumeFrames(
      {
        ...servers,
        queue: this.queue,
        onFault: (fault) => this.faults.push(fault),
        onConsuming: () => (this.starts += 1),
        ...options,
      },
      handler,
    );
    t.after(() => consumer.close());
    return consumer;
  }

  codes(): string[] {
    return this.faults.map((fault) => fault.code);
  }

  async waiting(queue = this.queue): Promise<number> {
    return (await channel.checkQueue(queue)).messageCount;
  }
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'vigil-consumer-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A Redis of one test, which keeps its data over a stop. */
export class PrivateRedis {
  #child: ChildProcess | undefined;

  constructor(
    readonly port: number,
    private readonly folder: string,
  ) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const address = ['--port', String(this.port), '--bind', '127.0.0.1'];
    const storage = ['--dir', this.folder, '--save', '60 1'];
    this.#child = spawn('redis-server', [...address, ...storage], { stdio: 'ignore' });
    await until('a private Redis answers', () => this.#answers());
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGCONT');
    child.kill(signal);
    await once(child, 'exit');
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = net.connect(this.port, '127.0.0.1');
      socket.on('error', () => resolve(false));
      socket.on('connect', () => socket.write('PING\r\n'));
      socket.on('data', (data) => {
        socket.destroy();
        resolve(data.toString().startsWith('+PONG'));
      });
    });
  }
}

/** A way to a server that can be cut, or made to swallow all that is sent. */
export class Wire {
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;
  connections = 0;
  /** Bytes from the client that did not reach the server. */
  swallowed = 0;
  silent = false;
  /** What the server does not get to see. */
  withholds: (data: Buffer) => boolean = () => false;

  constructor(target: URL) {
    this.#server = net.createServer((socket) => {
      this.connections += 1;
      const onward = net.connect(Number(target.port), target.hostname);
      this.#hold(socket);
      this.#hold(onward);
      socket.on('data', (data) => {
        if (this.silent || this.withholds(data)) this.swallowed += data.length;
        else onward.write(data);
      });
      socket.on('close', () => onward.destroy());
      onward.on('data', (data) => !this.silent && socket.write(data));
      onward.on('close', () => socket.destroy());
    });
  }

  static async open(t: TestContext, url: string): Promise<{ wire: Wire; url: string }> {
    const wired = new URL(url);
    const wire = new Wire(wired);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    const { port } = wire.#server.address() as net.AddressInfo;
    t.after(() => {
      wire.cut();
      wire.#server.close();
    });
    const rewired = new URL(url);
    rewired.hostname = '127.0.0.1';
    rewired.port = String(port);
    return { wire, url: rewired.href };
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #hold(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
