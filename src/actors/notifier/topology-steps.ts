/** What the contract promises on RabbitMQ, in the order it is declared. Pure. */
import type { Channel } from 'amqplib';
import type { Needs } from '../../broker/access';
import type { QueueSpec } from '../../config/topology';
import { deadLetterName, frameExchange, routingKey } from '../../contract/topology';

/** Dead messages kept for a person to look at; the oldest go first. */
const MAX_DEAD_LETTERS = 10_000;
const DEAD_LETTER_TTL_MS = 24 * 3600 * 1000;

export const DROPPED = 'messages that cannot be processed are dropped';

type Work = (channel: Channel) => Promise<unknown>;

export interface Step {
  readonly what: string;
  readonly declare: Work;
  /** Asks whether it is there; absent for bindings, which cannot be asked for. */
  readonly check?: Work;
  /** The rights it takes: rabbitmq.com/docs/access-control#authorisation. */
  readonly needs: Needs;
  /** What is tried where that was refused, and the rights it does without. */
  readonly lesser?: { readonly declare: Work; readonly lacks: Needs };
  /** What is lost where it is missing; absent where nothing works without it. */
  readonly without?: string;
  /** It decides whether a queue takes what is published. */
  readonly isQueues?: true;
}

export function topologySteps(namespace: string, queue: QueueSpec): readonly Step[] {
  const [exchange, dead, { name }] = [frameExchange(namespace), deadLetterName(queue.name), queue];
  return [
    {
      what: `exchange ${exchange}`,
      declare: (channel) => channel.assertExchange(exchange, 'topic'),
      check: (channel) => channel.checkExchange(exchange),
      needs: { exchange: 'configure' },
    },
    {
      what: `exchange ${dead}`,
      declare: (channel) => channel.assertExchange(dead, 'fanout'),
      check: (channel) => channel.checkExchange(dead),
      needs: { exchange: 'configure' },
      without: DROPPED,
    },
    {
      what: `queue ${dead}`,
      declare: (channel) => channel.assertQueue(dead, DEAD_LETTER_QUEUE),
      check: (channel) => channel.checkQueue(dead),
      needs: { queue: 'configure' },
      without: DROPPED,
    },
    {
      what: `the binding of queue ${dead} to exchange ${dead}`,
      declare: (channel) => channel.bindQueue(dead, dead, ''),
      needs: { queue: 'write', exchange: 'read' },
    },
    {
      what: `queue ${name}`,
      declare: (channel) => channel.assertQueue(name, queueOptions(queue, dead)),
      check: (channel) => channel.checkQueue(name),
      needs: { queue: 'configure', exchange: 'write' },
      lesser: {
        declare: (channel) => channel.assertQueue(name, queueOptions(queue, undefined)),
        lacks: { queue: 'read', exchange: 'write' },
      },
      without: 'frames wait in the spool unless another queue is bound to the exchange',
      isQueues: true,
    },
    {
      what: `the binding of queue ${name} to exchange ${exchange}`,
      declare: (channel) => channel.bindQueue(name, exchange, routingKey('*', 'frame')),
      needs: { queue: 'write', exchange: 'read' },
      isQueues: true,
    },
  ];
}

const DEAD_LETTER_QUEUE = {
  durable: true,
  arguments: {
    'x-queue-type': 'quorum',
    'x-max-length': MAX_DEAD_LETTERS,
    'x-overflow': 'drop-head',
    'x-message-ttl': DEAD_LETTER_TTL_MS,
  },
};

function queueOptions(queue: QueueSpec, deadLetterExchange: string | undefined) {
  return {
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-max-length': queue.maxLength,
      'x-overflow': queue.overflow,
      'x-delivery-limit': queue.deliveryLimit,
      ...(deadLetterExchange === undefined ? {} : { 'x-dead-letter-exchange': deadLetterExchange }),
    },
  };
}
