/** Redis and RabbitMQ of the harness's own, to be killed, frozen and controlled. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { connect } from 'amqplib';
import Redis from 'ioredis';
import { openLog } from '../../src/log/log';
import { readServiceMemory } from '../../src/embedded/server-file';
import { prepareRabbitmq } from '../../src/embedded/rabbitmq';
import { prepareRedis } from '../../src/embedded/redis';
import type { ServerProcess } from '../../src/embedded/server-process';
import type { EmbeddedService } from '../../src/embedded/service';
import { startService } from '../start-service';

const STOP_MS = 20_000;
const RABBITMQCTL = '/usr/lib/rabbitmq/bin/rabbitmqctl';

type Prepare = (dir: string, password?: string) => Promise<EmbeddedService>;

export class PrivateServer {
  #process: ServerProcess | undefined;

  #service: EmbeddedService;

  protected constructor(
    private readonly prepare: Prepare,
    service: EmbeddedService,
    protected dir: string,
  ) {
    this.#service = service;
  }

  get url(): string {
    return this.#service.url;
  }

  async start(): Promise<void> {
    this.#process = await startService(this.#service);
  }

  async stop(): Promise<void> {
    await this.#service.stop(STOP_MS);
  }

  /** Renames the folder of a server that is stopped; its password stays. */
  async move(): Promise<void> {
    const moved = `${this.dir} moved`;
    renameSync(this.dir, moved);
    this.dir = moved;
    this.#service = await this.prepare(moved, new URL(this.url).password);
  }

  signal(name: NodeJS.Signals): void {
    const pid = this.#process?.pid;
    if (pid !== undefined) process.kill(pid, name);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#process?.exited;
  }
}

export class PrivateRedis extends PrivateServer {
  static async prepare(dir: string): Promise<PrivateRedis> {
    mkdirSync(dir, { recursive: true });
    const prepare: Prepare = async (folder, password) =>
      prepareRedis(folder, {}, openLog('redis', 'error'), password);
    return new PrivateRedis(prepare, await prepare(dir), dir);
  }

  async configure(name: string, value: string): Promise<void> {
    const redis = new Redis(this.url);
    try {
      await redis.config('SET', name, value);
    } finally {
      redis.disconnect();
    }
  }
}

export class PrivateRabbitmq extends PrivateServer {
  static async prepare(dir: string): Promise<PrivateRabbitmq> {
    mkdirSync(dir, { recursive: true });
    const prepare: Prepare = async (folder, password) =>
      prepareRabbitmq(folder, undefined, openLog('rabbitmq', 'error'), password);
    return new PrivateRabbitmq(prepare, await prepare(dir), dir);
  }

  async deleteExchange(exchange: string): Promise<void> {
    const connection = await connect(this.url);
    const channel = await connection.createChannel();
    await channel.deleteExchange(exchange);
    await connection.close();
  }

  /** Meanwhile a queue of another service is bound to the exchange; it is full and refuses everything. */
  async withFullQueue(exchange: string, pattern: string, meanwhile: () => Promise<unknown>): Promise<void> {
    const connection = await connect(this.url);
    const channel = await connection.createChannel();
    const limits = { 'x-max-length': 1, 'x-overflow': 'reject-publish' };
    const { queue } = await channel.assertQueue('', { exclusive: true, arguments: limits });
    await channel.bindQueue(queue, exchange, pattern);
    await meanwhile();
    await connection.close();
  }

  /** rabbitmqctl, as the same user on the same node. Throws with its output when it fails. */
  async control(...args: readonly string[]): Promise<void> {
    const { epmdPort } = readServiceMemory(this.dir) ?? {};
    const child = spawn(RABBITMQCTL, ['-q', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        LANG: 'C.UTF-8',
        HOME: path.join(this.dir, 'home'),
        RABBITMQ_NODENAME: 'vigil@localhost',
        RABBITMQ_CONF_ENV_FILE: '/dev/null',
        ERL_EPMD_PORT: String(epmdPort),
      },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`rabbitmqctl ${args.join(' ')} ended with ${String(code)}: ${said}`);
  }
}
