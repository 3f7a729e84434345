/** The RabbitMQ objects the contract promises, in the order they are declared. Pure. */
import type { Channel } from 'amqplib';
import type { Needs } from '../../connections/rabbitmq-access';
import type { QueueSpec, ServiceSpec } from '../../config/topology';
import { deadLetterName, frameExchange, routingKey, serviceExchange } from '../../contract/broker-names';

/** Dead messages kept for a person to look at; the oldest go first. */
const MAX_DEAD_LETTERS = 10_000;
const DEAD_LETTER_TTL_MS = 24 * 3600 * 1000;

export const DROPPED = 'messages that cannot be processed are dropped';

/** The settings a queue is declared with. */
type Bounds = Pick<QueueSpec, 'name' | 'maxLength' | 'overflow' | 'deliveryLimit'> &
  Pick<ServiceSpec, 'lifetimeMs'>;

type Work = (channel: Channel) => Promise<unknown>;

export interface Step {
  readonly what: string;
  readonly declare: Work;
  /** Checks whether the object exists; absent for bindings, which cannot be queried. */
  readonly check?: Work;
  /** The rights it takes: rabbitmq.com/docs/access-control#authorisation. */
  readonly needs: Needs;
  /** What is tried if that was refused, and the rights it does not need. */
  readonly lesser?: { readonly declare: Work; readonly lacks: Needs };
  /** What is lost if it is missing; absent if nothing works without it. */
  readonly without?: string;
  /** What to do if it exists with other settings; absent: set another "queue.name". */
  readonly rename?: string;
  /** Without this object, no queue may accept what is published. */
  readonly isQueues?: true;
}

/** Binds a queue to an exchange; binding and unbinding need the right "write" on the queue and "read" on the exchange. */
export interface Binding {
  readonly what: string;
  readonly make: Work;
}

export const BINDING_NEEDS: Needs = { queue: 'write', exchange: 'read' };

export function bindingStep({ what, make }: Binding): Step {
  return { what: `the binding of ${what}`, declare: make, needs: BINDING_NEEDS, isQueues: true };
}

export function topologySteps(namespace: string, queue: QueueSpec): readonly Step[] {
  const exchange = frameExchange(namespace);
  return [
    {
      what: `exchange ${exchange}`,
      declare: (channel) => channel.assertExchange(exchange, 'topic'),
      check: (channel) => channel.checkExchange(exchange),
      needs: { exchange: 'configure' },
    },
    ...deadLetterSteps(queue.name),
    {
      ...queueStep(queue),
      without: 'frames wait in the spool unless another queue is bound to the exchange',
      isQueues: true,
    },
  ];
}

/** A service's queue, and how its messages come to it. */
export function serviceSteps(namespace: string, service: ServiceSpec): readonly Step[] {
  const { queue: name } = service;
  const exchange = serviceExchange(namespace);
  const without = `service ${service.name} gets no messages`;
  return [
    {
      what: `exchange ${exchange}`,
      declare: (channel) => channel.assertExchange(exchange, 'direct'),
      check: (channel) => channel.checkExchange(exchange),
      needs: { exchange: 'configure' },
      without,
    },
    ...deadLetterSteps(name),
    { ...queueStep({ ...service, name }), without, rename: 'give the service another name' },
    {
      what: `the binding of queue ${name} to exchange ${exchange}`,
      declare: (channel) => channel.bindQueue(name, exchange, name),
      needs: BINDING_NEEDS,
    },
  ];
}

function deadLetterSteps(queue: string): readonly Step[] {
  const dead = deadLetterName(queue);
  return [
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
      needs: BINDING_NEEDS,
    },
  ];
}

function queueStep(queue: Bounds): Step {
  const { name } = queue;
  return {
    what: `queue ${name}`,
    declare: (channel) => channel.assertQueue(name, queueOptions(queue, deadLetterName(name))),
    check: (channel) => channel.checkQueue(name),
    needs: { queue: 'configure', exchange: 'write' },
    lesser: {
      declare: (channel) => channel.assertQueue(name, queueOptions(queue, undefined)),
      lacks: { queue: 'read', exchange: 'write' },
    },
  };
}

/** The detection queue's own exchange: no other queue is bound there, so none affects the frames' confirms. */
export function directExchangeStep({ name }: QueueSpec): Step & Required<Pick<Step, 'check'>> {
  return {
    what: `exchange ${name}`,
    declare: (channel) => channel.assertExchange(name, 'fanout'),
    check: (channel) => channel.checkExchange(name),
    needs: { exchange: 'configure' },
  };
}

export function directBinding({ name }: QueueSpec): Binding {
  return { what: `queue ${name} to exchange ${name}`, make: (channel) => channel.bindQueue(name, name, '') };
}

/** The binding a queue had before it had an exchange of its own, and has if the notifier may not use that. */
export function sharedBinding(namespace: string, name: string): Binding & { readonly end: Work } {
  const exchange = frameExchange(namespace);
  return {
    what: `queue ${name} to exchange ${exchange}`,
    make: (channel) => channel.bindQueue(name, exchange, FRAMES),
    end: (channel) => channel.unbindQueue(name, exchange, FRAMES),
  };
}

const FRAMES = routingKey('*', 'frame');

const DEAD_LETTER_QUEUE = {
  durable: true,
  arguments: {
    'x-queue-type': 'quorum',
    'x-max-length': MAX_DEAD_LETTERS,
    'x-overflow': 'drop-head',
    'x-message-ttl': DEAD_LETTER_TTL_MS,
  },
};

function queueOptions(queue: Bounds, deadLetterExchange: string | undefined) {
  return {
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-max-length': queue.maxLength,
      'x-overflow': queue.overflow,
      'x-delivery-limit': queue.deliveryLimit,
      ...(queue.lifetimeMs === undefined ? {} : { 'x-message-ttl': queue.lifetimeMs }),
      ...(deadLetterExchange === undefined ? {} : { 'x-dead-letter-exchange': deadLetterExchange }),
    },
  };
}
