/** Frames in Redis: the connection and the two writes a frame needs. */
import Redis, { type RedisOptions } from 'ioredis';
import { redactUrl } from '../../config/url';
import type { Frame } from '../../contract/frame';
import { frameKey, latestKey, parseFrameKey } from '../../contract/key';
import { backOffMs, type BackOff } from '../../clock/back-off';
import { Fault, type FaultRecord } from '../../protocol/fault';

const RECONNECT: BackOff = { firstMs: 200, capMs: 2000 };
/** A write takes about a millisecond; a server that has not answered by then is frozen or gone. */
const COMMAND_MS = 5000;

export class RedisFrames {
  readonly #client: Redis;
  /** Capture time of the newest frame `latest` was set to, by camera. */
  readonly #newest = new Map<string, number>();

  /** @param onReadiness told when the server becomes ready, and why when it is not */
  constructor(
    private readonly url: string,
    private readonly namespace: string,
    private readonly expireMs: number,
    onReadiness: (fault?: FaultRecord) => void,
  ) {
    this.#client = new Redis(url, redisOptions());
    this.#client.on('ready', () => {
      onReadiness();
    });
    this.#client.on('error', (error: Error) => {
      onReadiness(this.#fault(error));
    });
    this.#client.on('close', () => {
      onReadiness({
        code: 'redis-unreachable',
        message: `${this.#name()} closed the connection; trying again`,
      });
    });
  }

  /**
   * Stores the picture under its key, with its expiry.
   * @throws Fault when Redis did not take it
   */
  async store(frame: Frame, bytes: Buffer): Promise<void> {
    await this.#run(() => this.#client.set(frameKey(this.namespace, frame), bytes, 'PX', this.expireMs));
  }

  /** Points the camera's `latest` key at a frame that is stored, unless it points at a newer one. */
  async markLatest(frame: Frame): Promise<void> {
    const { camera, capturedAt } = frame;
    const key = latestKey(this.namespace, camera);
    await this.#run(async () => {
      const newest =
        this.#newest.get(camera) ?? parseFrameKey((await this.#client.get(key)) ?? '')?.capturedAt ?? 0;
      this.#newest.set(camera, Math.max(newest, capturedAt));
      if (capturedAt < newest) return;
      await this.#client.set(key, frameKey(this.namespace, frame), 'PX', this.expireMs);
    });
  }

  close(): void {
    this.#client.disconnect();
  }

  async #run(command: () => Promise<unknown>): Promise<void> {
    try {
      await command();
    } catch (error) {
      const { code, message } = this.#fault(error as Error);
      throw new Fault(code, message, { cause: error });
    }
  }

  #name(): string {
    return `redis at ${redactUrl(this.url)}`;
  }

  #fault(error: Error): FaultRecord {
    const { message } = error;
    const { code = '' } = error as NodeJS.ErrnoException;
    if (/WRONGPASS|NOAUTH|NOPERM|invalid password/i.test(message))
      return {
        code: 'redis-refused',
        message: `${this.#name()} refused the user name or password; check them in the configuration`,
      };
    if (/^OOM/.test(message))
      return {
        code: 'redis-full',
        message: `${this.#name()} is out of memory; raise its maxmemory or lower frames.expireMs`,
      };
    if (/^READONLY/.test(message))
      return {
        code: 'redis-read-only',
        message: `${this.#name()} is a read-only replica; use the address of the primary`,
      };
    if (/^LOADING/.test(message))
      return { code: 'redis-loading', message: `${this.#name()} is still loading its data` };
    if (/Command timed out|socket timeout/i.test(message))
      return {
        code: 'redis-timeout',
        message: `${this.#name()} did not answer within ${String(COMMAND_MS)} ms`,
      };
    if (/CERT|SELF_SIGNED|SSL|TLS|EPROTO/.test(code))
      return {
        code: 'redis-tls',
        message: `${this.#name()} cannot be spoken to over TLS (${code}); check the port, and trust its certificate with NODE_EXTRA_CA_CERTS`,
      };
    const what = code === '' ? message : code;
    return {
      code: 'redis-unreachable',
      message: `${this.#name()} cannot be reached (${what}); frames wait in the spool`,
    };
  }
}

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
    retryStrategy: (attempt: number) => 50 + backOffMs(RECONNECT, attempt, Math.random()),
  } satisfies RedisOptions;
}
