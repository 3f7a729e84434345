/** Frames in Redis: the connection and the writes a frame needs. */
import { Cluster, type RedisOptions } from 'ioredis';
import { backOffMs, type BackOff } from '../../clock/back-off';
import type { Frame } from '../../contract/frame';
import { frameKey, latestKey, parseFrameKey } from '../../contract/key';
import { Fault, faultRecord, type FaultRecord } from '../../fault/fault';
import type { Holder } from '../../connections/namespace-lease';
import type { ClaimParameters } from '../../protocol/messages';
import { openRedis, type RedisClient } from '../../connections/redis';
import { redisFault } from '../../connections/redis-fault';
import { clusterWatchOf } from '../../connections/cluster-watch';
import { sentinelWatchOf } from '../../connections/sentinel-watch';
import { LedgerCopies } from '../../ledger/copies';
import { Claims } from './claims';
import { LeaseKeeper } from './lease-keeper';
import { readMemory, type ServerMemory } from './memory-watch';
import { readPersistence, type Persistence } from './persistence';

const RECONNECT: BackOff = { firstMs: 200, capMs: 1000 };
/** A write takes about a millisecond; a server that has not answered by then is frozen or gone. */
const COMMAND_MS = 5000;

export class RedisFrames {
  readonly #client: RedisClient;
  readonly #lease: LeaseKeeper;
  /** Capture time of the frame each camera's `latest` key points at, where this session has set it. */
  readonly #latest = new Map<string, number>();
  #session = 0;
  /** In a fleet. */
  readonly claims: Claims | undefined;
  readonly copies: LedgerCopies | undefined;

  /** Why the server is not ready, if the reason is known. */
  #cause: FaultRecord | undefined;

  /**
   * @param holder this daemon: no other one with the same namespace writes meanwhile
   * @param onReadiness called when the server becomes ready, and with the reason when it is not
   * @param onDenied called when the server denies a command that frames do not depend on
   * @param onBlind called once if the server does not let us see whether another daemon has the namespace
   * @param claims of a node of a fleet
   */
  constructor(
    private readonly url: string,
    private readonly namespace: string,
    public expireMs: number,
    holder: Holder,
    onReadiness: (fault?: FaultRecord) => void,
    private readonly onDenied: (fault: FaultRecord) => void,
    onBlind: (fault: FaultRecord) => void,
    claims?: ClaimParameters,
  ) {
    this.#client = openRedis(url, redisOptions());
    this.claims =
      claims &&
      new Claims({
        ...{ client: this.#client, namespace, ...claims },
        session: () => this.#session,
        write: (command) => this.#write(command),
      });
    this.copies = claims && new LedgerCopies(this.#client, namespace);
    this.#lease = new LeaseKeeper({
      client: this.#client,
      url,
      namespace,
      holder,
      onChange: onReadiness,
      onBlind,
    });
    this.#client.on('connect', () => {
      this.#cause = undefined;
    });
    this.#client.on('ready', () => this.#lease.begin());
    this.#client.on('error', (error: Error) => {
      // The message that a connection cannot be used follows the reason.
      if (this.#cause === undefined || !NO_CONNECTION.test(error.message))
        this.#cause = this.#waitingFault(error);
      onReadiness(this.#cause);
    });
    this.#client.on('close', () => {
      this.#begin();
      this.#lease.end();
      onReadiness(this.#cause ?? this.#waitingFault(new Error('the connection was closed')));
    });
    this.#client.on('-node', () => this.#begin());
  }

  /** Changes when a server was lost, and perhaps its memory with it. */
  get session(): number {
    return this.#session;
  }

  /**
   * Stores the picture under its key, with its expiry.
   * @throws Fault when Redis did not take it
   */
  async store(frame: Frame, bytes: Buffer): Promise<void> {
    await this.#write(() => this.#client.set(frameKey(this.namespace, frame), bytes, 'PX', this.expireMs));
  }

  /** Stores it for the rest of its lifetime, unless Redis still has it. */
  async restore(frame: Frame, bytes: Buffer, lifeMs: number): Promise<void> {
    await this.#write(() => this.#client.set(frameKey(this.namespace, frame), bytes, 'PX', lifeMs, 'NX'));
  }

  /**
   * Points the camera's `latest` key at a frame that is stored, or is being stored by a command sent before; a delayed one
   * only if none newer is there.
   */
  async markLatest(frame: Frame, delayed: boolean): Promise<void> {
    try {
      await this.#setLatest(frame, delayed);
    } catch (error) {
      if (faultRecord(error, 'redis').code !== DENIED) throw error;
      const { code, message } = redisFault(this.url, (error as Error).cause as Error);
      this.onDenied({ code, message: `${message}; frames are delivered without the camera's latest key` });
    }
  }

  async #setLatest(frame: Frame, delayed: boolean): Promise<void> {
    const { camera, capturedAt } = frame;
    if (delayed && (await this.#latestOf(camera)) > capturedAt) return;
    const key = latestKey(this.namespace, camera);
    await this.#run(() => this.#client.set(key, frameKey(this.namespace, frame), 'PX', this.expireMs));
    this.#latest.set(camera, capturedAt);
  }

  /** The combined answer of all servers that frames are written to. */
  async persistence(): Promise<Persistence> {
    const told = (await this.#info()).map((info) => readPersistence(info, Date.now()));
    return {
      runId: told
        .map(({ runId }) => runId)
        .sort()
        .join(' '),
      durableBeforeMs: Math.min(...told.map(({ durableBeforeMs }) => durableBeforeMs)),
    };
  }

  /** One entry for each server that frames are written to. */
  async memory(): Promise<ServerMemory[]> {
    return (await this.#info()).map(readMemory);
  }

  async #info(): Promise<string[]> {
    const client = this.#client;
    const servers = client instanceof Cluster ? client.nodes('master') : [client];
    return this.#run(() => Promise.all(servers.map((server) => server.info())));
  }

  /** Frees the namespace for the next daemon. */
  async close(): Promise<void> {
    await this.#lease.release();
    this.#client.disconnect();
  }

  /** Capture time; -Infinity if there is none. Queried once per session: outside a fleet, no other process sets the key. */
  async #latestOf(camera: string): Promise<number> {
    const known = this.claims === undefined ? this.#latest.get(camera) : undefined;
    if (known !== undefined) return known;
    const key = await this.#run(() => this.#client.get(latestKey(this.namespace, camera)));
    return parseFrameKey(key ?? '')?.capturedAt ?? -Infinity;
  }

  /** The server may have lost its state. */
  #begin(): void {
    this.#session++;
    this.#latest.clear();
  }

  #waitingFault(error: Error): FaultRecord {
    const { code, message } = redisFault(this.url, error);
    return { code, message: `${message}; frames wait in the spool` };
  }

  /** The fault of a command; without a connection, the reason there is none. */
  #faultOf(error: Error): FaultRecord {
    if (!NO_CONNECTION.test(error.message)) return this.#waitingFault(error);
    if (this.#cause !== undefined) return this.#cause;
    // Connected and not ready: its INFO says that it is loading, and ioredis waits.
    const loading = new Error('LOADING');
    return this.#waitingFault(this.#client.status === 'connect' ? loading : error);
  }

  /** For data that must persist: a write counts only if its server was still the primary after it had answered. */
  async #write<Reply>(command: () => Promise<Reply>): Promise<Reply> {
    const watch = sentinelWatchOf(this.#client) ?? clusterWatchOf(this.#client);
    return this.#run(watch === undefined ? command : () => watch.settled(command));
  }

  async #run<Reply>(command: () => Promise<Reply>): Promise<Reply> {
    await this.#lease.held();
    try {
      return await command();
    } catch (error) {
      const fault = this.#faultOf(error as Error);
      // What a slow server has not read yet stays in memory until the connection ends: close it.
      if (fault.code === 'redis-timeout' && this.#client.status === 'ready') this.#client.disconnect(true);
      throw Fault.from(fault, { cause: error });
    }
  }
}

/** The code of {@link redisFault} for a command that the ACL does not allow. */
const DENIED = 'redis-denied';
/** ioredis's message for a command that had no connection. */
const NO_CONNECTION = /isn't writeable|Connection is closed/;

function redisOptions() {
  return {
    // What cannot be written now waits in the spool, not in this process's memory.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_MS,
    socketTimeout: COMMAND_MS + 1000,
    connectTimeout: COMMAND_MS,
    keepAlive: 10_000,
    // A primary that was demoted: its name, or its Sentinels, lead to the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    retryStrategy: (attempt: number) => 50 + backOffMs(RECONNECT, attempt, Math.random()),
  } satisfies RedisOptions;
}
