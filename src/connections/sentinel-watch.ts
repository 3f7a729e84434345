/**
 * Keeps asking Sentinels which server is the primary. A server that was frozen while they replaced it keeps
 * its connections, and when it wakes it accepts writes that it has to discard seconds later. So a client
 * leaves it, and a write counts only if its primary was not being replaced when the reply had arrived.
 */
import type { Readable } from 'node:stream';
import Redis, { type RedisOptions } from 'ioredis';
import { backOffMs, type BackOff } from '../clock/back-off';
import { objectionTo, readView, type SentinelView } from './sentinel-view';
import { ANSWER_MS, type SentinelRounds } from './redis-sentinels';
import { untilOver } from './until-over';

const LOOK_MS = 500;
/**
 * A Sentinel that begins to replace a primary promotes another two rounds of its timer later, 50 ms each at least
 * (sentinel.c, sentinelFailoverStateMachine): its answer this long before a reply still holds.
 */
const FRESH_MS = 100;
/** The last report of a Sentinel that no longer answers is remembered for this long: the others learn of it within 2 s. */
const MEMORY_MS = 10_000;
const RECONNECT: BackOff = { firstMs: 200, capMs: 2000 };

/** Message of {@link SentinelWatch.settled}; redisFault has the text for it. */
const BEING_REPLACED = 'the primary is being replaced by its Sentinels';

type WatcherOptions = Omit<RedisOptions, 'replyMapping'>;

const watches = new WeakMap<object, SentinelWatch>();

/** Watches for as long as the client exists. */
export function watchSentinels(client: Redis): void {
  watches.set(client, new SentinelWatch(client));
}

/** See {@link SentinelWatch.settled}; undefined for a client without Sentinels. */
export function sentinelWatchOf(client: object): Pick<SentinelWatch, 'settled'> | undefined {
  return watches.get(client);
}

class Watcher {
  readonly client: Redis;
  view: SentinelView | undefined;
  /** Sentinels that do not answer are still asked, but not waited for. */
  answers = true;

  constructor(
    options: WatcherOptions,
    private readonly master: string,
  ) {
    this.client = new Redis(options);
    // If no Sentinel answers, the watched client reports it when it needs one.
    this.client.on('error', () => undefined);
  }

  /** Never rejects. */
  async ask(): Promise<void> {
    const askedMs = performance.now();
    try {
      const reply = await this.client.call('SENTINEL', 'MASTER', this.master);
      this.view = readView(reply, askedMs) ?? this.view;
      this.answers = true;
    } catch (error) {
      this.answers = false;
      // Data that a frozen server does not read would be kept until the connection ends.
      if (/timed out/.test((error as Error).message)) this.client.disconnect(true);
    }
  }
}

class SentinelWatch {
  readonly #watchers: readonly Watcher[];
  readonly #timer: NodeJS.Timeout;
  /** Address of the current connection. */
  #address: string | undefined;
  #connection = 0;
  #leaveDue = false;
  #askedMs = -Infinity;
  #asking: Promise<void> | undefined;

  constructor(private readonly client: Redis) {
    const { sentinels = [], name = '' } = client.options;
    this.#watchers = sentinels.map(
      ({ host, port }) => new Watcher(watcherOptions(client.options, host, port), name),
    );
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    client.on('connect', () => {
      this.#address = (client as unknown as { connector: SentinelRounds }).connector.named;
      this.#connection++;
      if (this.#leaveDue) this.#leave();
    });
    untilOver(client, () => {
      clearInterval(this.#timer);
      for (const watcher of this.#watchers) watcher.client.disconnect();
    });
  }

  /**
   * Writes, and makes sure that the server that answered was not being replaced. If no Sentinel answers, the reply
   * counts: their absence does not change the primary.
   * @throws what the write throws, or an error with a text for redisFault
   */
  async settled<Reply>(write: () => Promise<Reply>): Promise<Reply> {
    const connection = this.#connection;
    // At once: the answers usually arrive before the reply.
    void this.#askSince(performance.now() - FRESH_MS / 2);
    const reply = await write();
    await this.#askSince(performance.now() - FRESH_MS);
    if (connection !== this.#connection || this.#objection() !== undefined) throw new Error(BEING_REPLACED);
    return reply;
  }

  #objection() {
    const views = this.#watchers.flatMap(({ view }) => view ?? []);
    const sinceMs = performance.now() - MEMORY_MS;
    return objectionTo(
      this.#address,
      views.filter(({ askedMs }) => askedMs > sinceMs),
    );
  }

  async #look(): Promise<void> {
    for (const watcher of this.#watchers) if (!watcher.answers) void watcher.ask();
    await this.#askSince(performance.now());
  }

  /** Resolves when all Sentinels that answer have been asked at `sinceMs` or later. */
  async #askSince(sinceMs: number): Promise<void> {
    while (this.#askedMs < sinceMs) {
      if (this.#asking !== undefined) await this.#asking;
      else {
        this.#askedMs = performance.now();
        this.#asking = this.#ask();
      }
    }
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const answering = this.#watchers.filter(({ answers }) => answers);
    await Promise.all(answering.map((watcher) => watcher.ask()));
    this.#asking = undefined;
    if (this.#objection() === 'replaced') this.#leave();
  }

  #leave(): void {
    // ioredis does not retry a connection that is closed before it is established.
    this.#leaveDue = this.client.status === 'connecting';
    if (this.client.status !== 'connect' && this.client.status !== 'ready') return;
    // Not closed in order: a server that wakes at this moment would still reply to earlier commands.
    (this.client as unknown as { stream: Readable }).stream.destroy();
  }
}

function watcherOptions(
  { sentinelUsername, sentinelPassword, sentinelTLS }: RedisOptions,
  host?: string,
  port?: number,
): WatcherOptions {
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(sentinelUsername === undefined ? {} : { username: sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    ...(sentinelTLS === undefined ? {} : { tls: sentinelTLS }),
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    enableReadyCheck: false,
    keepAlive: 10_000,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt: number) => backOffMs(RECONNECT, attempt, Math.random()),
  };
}
