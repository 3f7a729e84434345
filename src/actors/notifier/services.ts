/**
 * Publishes to the configured services on connections of their own, so that whatever their queues do, neither the frames
 * of the detection queue nor the queues that others have bound are held up.
 */
import { aborted, unlessAborted, withDeadline } from '../../clock/sleep';
import type { QueueSpec, ServiceSpec } from '../../config/topology';
import type { Recipients } from '../../contract/message';
import { serviceExchange, type EventKind } from '../../contract/broker-names';
import { RecurringFault } from '../../fault/recurring';
import type { FaultRecord } from '../../fault/fault';
import type { Log } from '../../log/log';
import { serviceFact } from '../../protocol/service-facts';
import { IdleServices } from './idle-services';
import { Others } from './others';
import type { OutgoingMessage } from './outgoing-message';
import { ServiceQueues, type ServiceQueuesOptions } from './service-queues';
import { ServiceRoutes } from './service-routes';

/** Queues are declared in milliseconds. One that does not answer must not hold up the others for longer. */
const BEGIN_MS = 3000;
const DEFAULT_TASK = 'detect.frame';
const KEPT = 'pictures announced there stay in Redis until they expire';

export interface ServicesOptions extends Omit<ServiceQueuesOptions, 'onLook'> {
  readonly queue: QueueSpec;
  readonly log: Log;
  /** Milliseconds, a clock that is never set. */
  readonly now: () => number;
  /** Consumers of the detection queue; undefined while that is not known. */
  readonly detectionConsumers: () => number | undefined;
  /** Waiting messages may be retried. */
  readonly onReady: () => void;
}

/** A message without the properties that depend on its services. */
export type ServiceMessage = Omit<OutgoingMessage, 'exchange' | 'routingKey' | 'mandatory'>;

export class Services {
  readonly #queues: ServiceQueues;
  readonly #publisher: Others;
  readonly #faults: RecurringFault;
  readonly #idle: IdleServices;
  #routes: ServiceRoutes;
  /** Aborted with the first service. */
  readonly #wanted = new AbortController();

  constructor(private readonly options: ServicesOptions) {
    const { url, now, log, services, onReady } = options;
    this.#faults = new RecurringFault(log);
    this.#idle = new IdleServices(log, now);
    this.#routes = new ServiceRoutes(services);
    this.#queues = new ServiceQueues({ ...options, onLook: () => this.#tellIdle() });
    this.#publisher = new Others({
      url,
      name: 'vigil notifier services',
      now,
      prepare: () => this.declared(),
      onReady,
      onMissed: ({ code, message }) =>
        this.#faults.report({ code, message: `services in "consumers" may miss messages: ${message}` }),
      onRejected: () => void this.#tellRefusal(),
      onConfirmed: () => this.#faults.clear('services in "consumers" get all messages again'),
    });
    if (services.length > 0) this.#wanted.abort();
  }

  get facts(): Record<string, string> {
    return Object.fromEntries(
      this.#queues.services.map((service) => serviceFact(service.name, this.#queues.stateOf(service))),
    );
  }

  change(services: readonly ServiceSpec[], removed: readonly string[]): void {
    this.#routes = new ServiceRoutes(services);
    this.#queues.change(services, removed);
    if (services.length > 0) this.#wanted.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#queues.watch(signal), this.#publish(signal)]);
  }

  async #publish(signal: AbortSignal): Promise<void> {
    await unlessAborted(aborted(this.#wanted.signal), signal);
    if (!signal.aborted) await this.#publisher.run(signal);
  }

  /** The broker is back. */
  renew(): void {
    this.#publisher.renew();
  }

  /**
   * Checks all queues on a new connection; waits for the result only if they have not been checked before.
   */
  async declared(): Promise<void> {
    const { services } = this.#queues;
    if (services.length === 0) return;
    const looked = this.#queues.look();
    if (services.every((service) => this.#queues.stateOf(service) !== undefined)) return;
    await withDeadline(looked, BEGIN_MS);
  }

  /** Services whose queue is there and that get such an event. */
  of(camera: string, tags: readonly string[], kind: EventKind): ServiceSpec[] {
    return this.#routes
      .of(camera, tags, kind)
      .filter((service) => this.#queues.stateOf(service) !== undefined);
  }

  /** The attribute of a frame's message that names its recipients; undefined if only the detection queue gets it. */
  recipients(services: readonly ServiceSpec[]): Recipients | undefined {
    if (services.length === 0) return undefined;
    const { name, required } = this.options.queue;
    return {
      ...(required ? { [name]: 'any' } : {}),
      ...Object.fromEntries(services.map(({ queue, removal }) => [queue, removal])),
    };
  }

  /** Resolves when their queues have it; a fault says that it is worth being offered again. Never rejects. */
  async offer(
    services: readonly ServiceSpec[],
    publication: ServiceMessage,
  ): Promise<FaultRecord | undefined> {
    const exchange = serviceExchange(this.options.namespace);
    const answers = [...byForm(services)].map(async ([task, [routingKey = '', ...others]]) =>
      this.#publisher.offer({
        ...{ ...publication, exchange, routingKey, others, mandatory: false },
        ...(task === undefined ? {} : { task }),
      }),
    );
    return (await Promise.all(answers)).find((fault) => fault !== undefined);
  }

  #tellIdle(): void {
    const { queue, detectionConsumers } = this.options;
    const { services } = this.#queues;
    const queues = services.flatMap((service) => {
      const { name, queue: of, events } = service;
      const state = this.#queues.stateOf(service);
      const effect = events.includes('frame') ? `, so ${KEPT}` : '';
      const message = `queue ${of} has no consumer${effect}; start service ${name}, or remove it from "consumers"`;
      return state === undefined ? [] : [{ queue: of, consumers: state.consumers, message }];
    });
    const consumers = detectionConsumers();
    if (services.length > 0 && queue.required && consumers !== undefined) {
      const message = `queue ${queue.name} has no consumer, so ${KEPT}; set "queue.required" to false if no service reads it`;
      queues.push({ queue: queue.name, consumers, message });
    }
    this.#idle.look(queues);
  }

  /** RabbitMQ does not say which queue refuses: what was seen last may be seconds old. */
  async #tellRefusal(): Promise<void> {
    // A check that was already under way may have been too early.
    for (let looks = 0; looks < 2 && this.#full() === undefined; looks += 1) await this.#queues.look();
    const full = this.#full();
    this.#faults.report({
      code: 'service-refuses',
      message:
        full === undefined
          ? 'a queue of "consumers" refuses messages; it is full or failing, and its service misses them'
          : `queue ${full.queue} of service ${full.name} is full and refuses messages, which the service misses; start more of its consumers`,
    });
  }

  #full(): ServiceSpec | undefined {
    return this.#queues.services.find((service) => {
      const state = this.#queues.stateOf(service);
      return (
        service.overflow === 'reject-publish' && state !== undefined && state.messages >= state.maxLength
      );
    });
  }
}

/** Queues by the form of their messages: Celery tasks of one name, or events. */
function byForm(services: readonly ServiceSpec[]): ReadonlyMap<string | undefined, string[]> {
  const forms = new Map<string | undefined, string[]>();
  for (const { queue, protocol, task = DEFAULT_TASK } of services) {
    const form = protocol === 'celery' ? task : undefined;
    forms.set(form, [...(forms.get(form) ?? []), queue]);
  }
  return forms;
}
