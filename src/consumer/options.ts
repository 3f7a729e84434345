/** The options of a consumer: checked before anything is opened. */
import { REDIS_SCHEMES } from '../connections/redis-address';
import type { OtherEvent } from './announcement';
import type { Removal } from './attempt';
import { ConsumerError, textOf, type ConsumerFault } from './fault';
import type { SettledFrame } from './settled';
import { readServerUrl, type ServerUrl } from './server-url';

export interface ConsumerOptions {
  /**
   * `amqp://` or `amqps://`, of one host or several that are tried in turn; user and password percent-encoded. A function is
   * called before every connection, for passwords that change.
   */
  readonly amqpUrl: string | (() => string);
  /** `redis://`, `redis-sentinel://` or `redis-cluster://`, or with `rediss`; a function as for `amqpUrl`. */
  readonly redisUrl: string | (() => string);
  readonly queue: string;
  /** Frames handled at the same time, 1 to 65535; 8 when absent. */
  readonly prefetch?: number;
  /** `after` when absent. */
  readonly removal?: Removal;
  /**
   * For handlers slower than the cameras: cameras take turns, with one frame each, the newest. Frames
   * overtaken by a newer one of their camera are acknowledged unseen, and removed unless `removal` is `keep`.
   */
  readonly latestOnly?: boolean;
  /**
   * Frames of a camera are handled one at a time, in the order of arrival; a redelivered frame follows those
   * that were handled meanwhile.
   */
  readonly ordered?: boolean;
  /**
   * Redeliveries after which a frame whose handler throws becomes a dead letter with its reason; 5 when
   * absent, as in Vigil's queue. If the queue's own limit is lower, RabbitMQ dead-letters the frame without a
   * reason.
   */
  readonly deliveryLimit?: number;
  /** Called with faults, at most once a second for each code; an outage or a pause only once, until frames flow again. */
  readonly onFault?: (fault: ConsumerFault) => void;
  /** Called each time consuming begins, first or after an outage or a pause. */
  readonly onConsuming?: () => void;
  /** Called with each finished frame, for metrics. */
  readonly onSettled?: (frame: SettledFrame) => void;
  /** Called with each event of a queue that is not about a frame: a camera's state, or a gap. Its message is acknowledged before. */
  readonly onEvent?: (event: OtherEvent) => void;
}

export interface Settings {
  /** These throw a {@link ConsumerError}. */
  readonly amqp: () => ServerUrl;
  readonly redis: () => ServerUrl;
  readonly queue: string;
  readonly prefetch: number;
  readonly removal: Removal;
  readonly latestOnly: boolean;
  readonly ordered: boolean;
  readonly deliveryLimit: number;
  readonly onFault: (fault: ConsumerFault) => void;
  readonly onConsuming: () => void;
  readonly onSettled: (frame: SettledFrame) => void;
  readonly onEvent: (event: OtherEvent) => void;
}

/** Throws a {@link ConsumerError} `invalid-option`. */
export function readSettings(options: ConsumerOptions): Settings {
  const { prefetch = 8, removal = 'after', latestOnly = false, ordered = false, queue } = options;
  const { deliveryLimit = 5 } = options;
  checkCount('prefetch', prefetch, 65_535);
  checkCount('deliveryLimit', deliveryLimit, 1_000_000);
  if (queue === '') throw new ConsumerError('invalid-option', 'queue: expected a name, found none');
  return {
    amqp: serverUrl('amqpUrl', options.amqpUrl, ['amqp', 'amqps']),
    redis: serverUrl('redisUrl', options.redisUrl, REDIS_SCHEMES),
    queue,
    prefetch,
    removal,
    latestOnly,
    ordered,
    deliveryLimit,
    onFault: options.onFault ?? (() => undefined),
    onConsuming: options.onConsuming ?? (() => undefined),
    onSettled: options.onSettled ?? (() => undefined),
    onEvent: options.onEvent ?? (() => undefined),
  };
}

function checkCount(option: string, value: number, maximum: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= maximum) return;
  throw new ConsumerError('invalid-option', `${option}: expected 1 to ${maximum}, found ${value}`);
}

/** Checks the URL; one that is not a function is read at once. */
function serverUrl(
  option: 'amqpUrl' | 'redisUrl',
  given: string | (() => string),
  schemes: readonly string[],
): () => ServerUrl {
  if (typeof given !== 'function') {
    const server = readServerUrl(option, given, schemes);
    return () => server;
  }
  return () => readServerUrl(option, ask(option, given), schemes);
}

function ask(option: 'amqpUrl' | 'redisUrl', tell: () => string): string {
  try {
    return tell();
  } catch (error) {
    const code = option === 'amqpUrl' ? 'rabbitmq-unreachable' : 'redis-unreachable';
    throw new ConsumerError(code, `${option}: ${textOf(error)}`, { cause: error });
  }
}
