/** One Redis connection for one session of a consumer. It never reconnects: the consumer's loop opens another. */
import type { Result } from 'ioredis';
import { withDeadline } from '../clock/sleep';
import { doneKey } from '../contract/key';
import { SHARE_SCRIPT, type Share } from '../contract/sharing';
import { openRedis, type RedisClient } from '../connections/redis';
import { connectRedis } from '../connections/redis-connected';
import { isReply, redisFault } from '../connections/redis-fault';
import { ConsumerError, textOf } from './fault';
import type { ServerUrl } from './server-url';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    vigilShareBuffer(key: string, done: string, ...values: string[]): Result<Buffer | null, Context>;
  }
}

/** Also the longest time a stalled Redis can delay a frame. */
const SILENCE_MS = 5000;
const CLOSE_MS = 1000;
/** For the connection and for the query before it is used: each has {@link SILENCE_MS}. */
const CONNECT_MS = 2 * SILENCE_MS;

export interface FrameStore {
  /**
   * The value of a key, null when it has gone. `remove` also deletes the key (GETDEL, Redis 6.2). Throws a
   * {@link ConsumerError}: `invalid-message` when the key holds no plain value, else `redis-...`.
   * @param share for a frame that other services must have too: the result is null also if this service has
   * handled it
   */
  retrieve(key: string, remove: boolean, share?: Share): Promise<Buffer | null>;
  /** UNLINK; for a shared frame, once all other services have handled it. Throws like {@link retrieve}. */
  remove(key: string, share?: Share): Promise<void>;
  /** The text of a key, null if there is none. Throws like {@link retrieve}. */
  text(key: string): Promise<string | null>;
  /** Resolves when the socket has closed, after at most a second; never throws. */
  close(): Promise<void>;
}

/**
 * Opens the connection; throws a {@link ConsumerError} `redis-...`. `onLost` is called once when an opened one ends
 * without {@link FrameStore.close}.
 */
export async function openFrameStore(
  server: ServerUrl,
  name: string,
  onLost: (error: ConsumerError) => void,
  signal: AbortSignal,
): Promise<FrameStore> {
  let cause: Error | undefined;
  const redis = openRedis(server.url, {
    lazyConnect: true,
    connectionName: name,
    // With these four, a command that cannot be answered now fails at once, without retries.
    retryStrategy: null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    // A Cluster client tries a command on one node after another.
    commandTimeout: SILENCE_MS,
    disconnectTimeout: CLOSE_MS,
  });
  redis.on('error', (error: Error) => (cause ??= error));
  const faultOf = (error: unknown) => storeFault(cause ?? error, server);
  await connectRedis(redis, CONNECT_MS, signal).catch((error: unknown) => {
    throw faultOf(error);
  });
  let closing = false;
  redis.on('end', () => {
    if (!closing) onLost(faultOf(new Error('the connection ended')));
  });

  const run = async <Reply>(command: () => Promise<Reply>): Promise<Reply> => {
    try {
      return await command();
    } catch (error) {
      throw isReplyError(error) ? storeFault(error, server) : faultOf(error);
    }
  };
  redis.defineCommand('vigilShare', { lua: SHARE_SCRIPT, numberOfKeys: 2 });
  const inShare = (how: 'get' | 'take' | 'done', key: string, { queue, required }: Share) =>
    redis.vigilShareBuffer(key, doneKey(key), how, queue, ...required);
  return {
    retrieve: (key, remove, share) =>
      run(() => {
        if (share !== undefined) return inShare(remove ? 'take' : 'get', key, share);
        return remove ? redis.getdelBuffer(key) : redis.getBuffer(key);
      }),
    remove: async (key, share) => {
      if (share === undefined) await run(() => redis.unlink(key));
      else await run(() => inShare('done', key, share));
    },
    text: (key) => run(() => redis.get(key)),
    close: async () => {
      closing = true;
      await disconnect(redis);
    },
  };
}

async function disconnect(redis: RedisClient): Promise<void> {
  if (redis.status === 'end') return;
  const ended = new Promise((resolve) => redis.once('end', resolve));
  redis.disconnect();
  // A Cluster does not report its end if its last node has left.
  await withDeadline(ended, CLOSE_MS);
}

function isReplyError(error: unknown): error is Error {
  return error instanceof Error && isReply(error);
}

function storeFault(error: unknown, server: ServerUrl): ConsumerError {
  const text = textOf(error);
  if (isReplyError(error) && text.startsWith('WRONGTYPE'))
    return new ConsumerError(
      'invalid-message',
      'the announced key holds no picture: Redis answered WRONGTYPE',
    );
  const { message } = redisFault(server.url, error instanceof Error ? error : new Error(text));
  return new ConsumerError(
    isReplyError(error) ? 'redis-refused' : 'redis-unreachable',
    server.redact(message),
  );
}
