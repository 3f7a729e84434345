/** Finds the primary that Sentinels name, and hears of it when they name another. */
import type { Readable } from 'node:stream';
import Redis, { SentinelConnector, type RedisOptions, type SentinelConnectionOptions } from 'ioredis';
import { backOffMs, type BackOff } from '../clock/back-off';

/** A Sentinel answers in milliseconds. One that is frozen, or on a machine that is gone, must not be waited for. */
const ANSWER_MS = 1000;
const RECONNECT: BackOff = { firstMs: 200, capMs: 2000 };
const SWITCHED = '+switch-master';

type WatcherOptions = Omit<RedisOptions, 'replyMapping'>;

/**
 * Asks the Sentinels in turn, each time beginning with the one behind the last that was asked: it may have been wrong.
 * ioredis itself goes on from there to the end of the list, and then says that none can be reached.
 */
export class SentinelRounds extends SentinelConnector {
  constructor(options: unknown) {
    super({
      ...(options as SentinelConnectionOptions),
      connectTimeout: ANSWER_MS,
      sentinelCommandTimeout: ANSWER_MS,
    });
  }

  override async connect(...args: Parameters<SentinelConnector['connect']>) {
    const { done } = this.sentinelIterator.next();
    // To the front comes the one that is next, or stays the one that was first.
    this.sentinelIterator.reset(!done);
    return super.connect(...args);
  }
}

/**
 * Has a client connect anew when the Sentinels replace its primary, for as long as the client lives. One that was frozen
 * meanwhile keeps its connections, and takes what is written for seconds after it wakes, to forget it then.
 */
export function followSentinels(client: Redis): void {
  const { sentinels = [], name } = client.options;
  let last: string | undefined;
  let isDue = false;
  const leave = () => {
    // What ends before it is connected, ioredis takes for an end for good.
    isDue = client.status === 'connecting';
    if (client.status !== 'connect' && client.status !== 'ready') return;
    // Not ended in order: a server that wakes at this moment would still answer what it was sent.
    (client as unknown as { stream: Readable }).stream.destroy();
  };
  client.on('connect', () => {
    if (isDue) leave();
  });
  const watchers = sentinels.map(({ host, port }) => {
    const watcher = new Redis(watcherOptions(client.options, host, port));
    // That it is away is told by the client, when it needs one.
    watcher.on('error', () => undefined);
    watcher.on('message', (_channel, text) => {
      // `<name> <old address> <new address>`: each Sentinel tells.
      if (text === last || !text.startsWith(`${name ?? ''} `)) return;
      last = text;
      leave();
    });
    watcher.subscribe(SWITCHED).catch(() => undefined);
    return watcher;
  });
  const stop = () => {
    for (const watcher of watchers) watcher.disconnect();
  };
  client.once('end', stop);
  // A client that is disconnected between two connections does not tell of its end.
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect) => {
    if (reconnect !== true) stop();
    disconnect(reconnect);
  };
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
    enableReadyCheck: false,
    keepAlive: 10_000,
    maxRetriesPerRequest: null,
    retryStrategy: (attempt: number) => backOffMs(RECONNECT, attempt, Math.random()),
  };
}
