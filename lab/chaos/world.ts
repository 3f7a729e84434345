/** A daemon with its cameras, the servers behind proxies, and all that watches them. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { memoryFolderOf } from '../../src/spool/memory-folder';
import { clip } from '../feeds/clips';
import type { FaultProxy } from '../fault-proxy';
import { waitUntil } from '../process';
import { actorName, below, processTable } from '../process-table';
import type { RabbitCluster } from '../rabbit-cluster';
import type { RedisGroup } from '../redis';
import { ServiceManager } from '../soak/service-manager';
import { proxyOf, through } from './cables';
import { CheckingConsumer } from './checking-consumer';
import { MemoryWatch } from './memory-watch';
import type { PrivateRabbitmq, PrivateRedis } from './private-server';
import { SmallDisk } from './small-disk';
import { SpoolWitness } from './spool-witness';

const CLOCK = path.resolve(__dirname, '../../test/fixtures/settable-clock.cjs');
const START_MS = 60_000;
const STOP_MS = 30_000;
/** Holds what a camera leaves in ten minutes: a picture takes two pages. */
const BYTES_PER_CAMERA = 12 << 20;
/** What the shipped configuration leaves free on the disk (spool.minFreeBytes), with the margin to be written to again. */
const LEFT_FREE_BYTES = 270 << 20;
/** Without these even root reads only what its mode lets it. */
const WITHOUT_RIGHTS = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] as const;

export interface WorldOptions {
  /** A folder of its own; the daemon's is below. */
  readonly dir: string;
  readonly namespace: string;
  readonly cameras: number;
  readonly expireMs: number;
  readonly redisUrl: string;
  readonly amqpUrl: string;
  /** The servers themselves, where they are ours alone. */
  readonly servers?: { readonly redis: PrivateRedis; readonly rabbitmq: PrivateRabbitmq };
  /** The cluster that `amqpUrl` names. */
  readonly brokers?: RabbitCluster;
  /** The Sentinels' servers, or the Cluster, that `redisUrl` names. */
  readonly redisGroup?: RedisGroup;
}

interface Proxies {
  readonly redis: FaultProxy | undefined;
  readonly amqp: FaultProxy | undefined;
}

export class World {
  readonly cameras: readonly string[];
  readonly consumer: CheckingConsumer;
  readonly witness: SpoolWitness;
  readonly memory: MemoryWatch;
  /** Undefined where none can be mounted. */
  readonly disk: SmallDisk | undefined;
  /** Whether modes hold for the daemon: for root only where it can be taken the right to pass over them. */
  readonly obeysModes: boolean;
  readonly #manager: ServiceManager;
  #clockOffsetMs = 0;
  #dataDir: string;

  private constructor(
    readonly options: WorldOptions,
    private readonly proxies: Proxies,
  ) {
    const { dir, namespace, redisUrl, amqpUrl, expireMs } = options;
    this.#dataDir = path.join(dir, 'data');
    this.cameras = Array.from({ length: options.cameras }, (_, i) => `cam${i}`);
    mkdirSync(this.dataDir, { recursive: true, mode: 0o700 });
    this.disk = SmallDisk.mount(this.dataDir, LEFT_FREE_BYTES + options.cameras * BYTES_PER_CAMERA);
    this.witness = new SpoolWitness(this.spoolDir, this.cameras, memoryFolderOf(this.spoolDir));
    this.consumer = new CheckingConsumer({ redisUrl, amqpUrl, queue: `${namespace}.detection`, expireMs });
    this.stepClock(0);
    const isRoot = process.geteuid?.() === 0;
    const [setpriv, ...rights] = WITHOUT_RIGHTS;
    this.obeysModes = !isRoot || spawnSync(setpriv, [...rights, 'true']).status === 0;
    this.#manager = new ServiceManager(
      dir,
      { NODE_OPTIONS: `--require ${CLOCK}`, NODE_VIGIL_CLOCK_FILE: this.#clockFile },
      isRoot && this.obeysModes ? WITHOUT_RIGHTS : [],
    );
    this.memory = new MemoryWatch(() => this.#manager.pid);
  }

  /** Resolves when every camera has delivered. */
  static async open(options: WorldOptions): Promise<World> {
    mkdirSync(options.dir, { recursive: true });
    const proxies = { redis: await proxyOf(options.redisUrl), amqp: await proxyOf(options.amqpUrl) };
    const world = new World(options, proxies);
    await world.#writeConfiguration();
    world.#manager.start();
    const delivered = () => new Set([...world.consumer.seen.values()].map(({ camera }) => camera)).size;
    await waitUntil('every camera delivers', () => delivered() === options.cameras, START_MS).catch(
      async (error: unknown) => {
        await world.close();
        throw error;
      },
    );
    return world;
  }

  get redisProxy(): FaultProxy {
    if (this.proxies.redis === undefined) throw new Error('several Redis have no proxy');
    return this.proxies.redis;
  }

  get amqpProxy(): FaultProxy {
    if (this.proxies.amqp === undefined) throw new Error('several RabbitMQ have no proxy');
    return this.proxies.amqp;
  }

  get dataDir(): string {
    return this.#dataDir;
  }

  get spoolDir(): string {
    return path.join(this.dataDir, 'spool');
  }

  get daemonPid(): number {
    const { pid } = this.#manager;
    if (pid === undefined) throw new Error('no daemon runs');
    return pid;
  }

  /** The newest process of an actor; waits for one where it is just being started. */
  async actorPid(name: string): Promise<number> {
    const find = () =>
      below(processTable(), this.#manager.pid ?? 0).find(
        (row) => actorName(row) === name && row.state !== 'Z',
      )?.pid;
    await waitUntil(`${name} runs`, () => find() !== undefined);
    return find() ?? 0;
  }

  /** Sets the clock of the daemon's Node processes by so much. */
  stepClock(byMs: number): void {
    this.#clockOffsetMs += byMs;
    // At once and whole: it is read all the time.
    writeFileSync(`${this.#clockFile}.new`, String(this.#clockOffsetMs));
    renameSync(`${this.#clockFile}.new`, this.#clockFile);
  }

  /** Stops the daemon, moves its data directory, and starts it there. */
  async moveData(): Promise<void> {
    const moved = path.join(this.options.dir, 'moved');
    await this.#manager.stop(STOP_MS);
    if (this.disk === undefined) renameSync(this.#dataDir, moved);
    else {
      mkdirSync(moved, { mode: 0o700 });
      this.disk.move(moved);
    }
    this.#dataDir = moved;
    const memoryDir = memoryFolderOf(this.spoolDir);
    if (memoryDir !== undefined) this.witness.watchMemory(memoryDir);
    this.#manager.start({ dataDir: moved });
  }

  /** Has the daemon run on a terminal, and stops the terminal's output once every camera captures. */
  async stopTerminal(): Promise<void> {
    await this.#manager.stop(STOP_MS);
    this.#manager.start({ onTerminal: true });
    await this.captured();
    this.#manager.stopOutput();
  }

  async resumeTerminal(): Promise<void> {
    this.#manager.resumeOutput();
    await this.#manager.stop(STOP_MS);
    this.#manager.start({ onTerminal: false });
  }

  /** Resolves when every camera has captured since it was called. */
  async captured(): Promise<void> {
    const sinceMs = performance.now();
    const fresh = () => [...this.witness.captured.values()].filter(({ seenMs }) => seenMs > sinceMs);
    const cameras = () => new Set(fresh().map(({ frame }) => frame.camera)).size;
    await waitUntil('every camera captures', () => cameras() === this.cameras.length, START_MS);
  }

  /** One with the same configuration and data of its own. */
  secondDaemon(): ServiceManager {
    const dir = path.join(this.options.dir, 'second');
    mkdirSync(dir, { recursive: true });
    copyFileSync(path.join(this.options.dir, 'actors.json'), path.join(dir, 'actors.json'));
    return new ServiceManager(dir);
  }

  async close(): Promise<void> {
    this.memory.close();
    await this.#manager.stop(STOP_MS);
    await this.consumer.close();
    this.witness.close();
    await this.proxies.redis?.stop();
    await this.proxies.amqp?.stop();
    this.disk?.unmount();
    rmSync(this.options.dir, { recursive: true, force: true });
  }

  get #clockFile(): string {
    return path.join(this.options.dir, 'clock');
  }

  async #writeConfiguration(): Promise<void> {
    const { dir, namespace, redisUrl, amqpUrl, expireMs } = this.options;
    // The smallest and cheapest feed there is: many cameras run on few cores.
    const file = await clip({ codec: 'mjpeg', width: 160, height: 96, fps: 5 });
    const config = {
      namespace,
      redis: through(redisUrl, this.proxies.redis),
      rabbitmq: through(amqpUrl, this.proxies.amqp),
      frames: { expireMs },
      cameras: this.cameras.map((id) => ({ id, file })),
    };
    writeFileSync(path.join(dir, 'actors.json'), JSON.stringify(config));
  }
}
