/** The queues of the configured services: declared if absent, inspected, and deleted on request. */
import type { ChannelModel } from 'amqplib';
import { sleep } from '../../clock/sleep';
import type { ServiceSpec } from '../../config/topology';
import { deadLetterName, serviceQueue } from '../../contract/broker-names';
import { Declarations, lackOf, type TopologyNote } from './declarations';
import { DeclaringLink } from './declaring-link';
import { queueState, type QueueState } from './old-queues';
import { failureOf } from './own-channel';
import { serviceSteps } from './topology-steps';

/** Longest time until a deleted queue, or one without a consumer, is noticed. */
const LOOK_MS = 10_000;

export interface ServiceQueuesOptions {
  readonly url: string;
  readonly namespace: string;
  readonly services: readonly ServiceSpec[];
  /** Names of services whose queues are to be deleted. */
  readonly removed: readonly string[];
  readonly onNote: (note: TopologyNote) => void;
  /** A check of the queues has finished. */
  readonly onLook: () => void;
}

export interface ServiceState extends QueueState {
  /** The bound that the queue has, which a change of the configuration does not move. */
  readonly maxLength: number;
}

export class ServiceQueues {
  readonly #link: DeclaringLink;
  readonly #declarations: Declarations;
  #services: readonly ServiceSpec[];
  #removed: readonly string[];
  /** State of the existing queues, by queue. */
  readonly #states = new Map<string, ServiceState>();
  /** Queues that this process has declared, and the settings they were declared with: they need no check. */
  readonly #declared = new Map<string, string>();
  readonly #keptLengths = new Map<string, number>();
  readonly #deleted = new Set<string>();
  #looking: Promise<void> | undefined;
  #wake = new AbortController();

  constructor(private readonly options: ServiceQueuesOptions) {
    const { url, services, removed, onNote } = options;
    this.#services = services;
    this.#removed = removed;
    this.#link = new DeclaringLink(url, 'vigil notifier declares for services');
    this.#declarations = new Declarations({
      url,
      onNote,
      onKept: ({ what, setting, current }) => {
        if (setting === 'x-max-length') this.#keptLengths.set(what, Number(current));
      },
    });
  }

  get services(): readonly ServiceSpec[] {
    return this.#services;
  }

  /** State of a service's queue; undefined if it is not known to exist. */
  stateOf({ queue }: ServiceSpec): ServiceState | undefined {
    return this.#states.get(queue);
  }

  change(services: readonly ServiceSpec[], removed: readonly string[]): void {
    this.#services = services;
    this.#removed = removed;
    for (const name of this.#deleted) if (!removed.includes(name)) this.#deleted.delete(name);
    const queues = new Set(services.map(({ queue }) => queue));
    for (const queue of this.#states.keys()) if (!queues.has(queue)) this.#forget(queue);
    this.#wake.abort();
  }

  /** Checks regularly, and after each change; ends with `signal`. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const until = AbortSignal.any([signal, this.#wake.signal]);
      if (this.#services.length > 0 || this.#removed.length > 0) await this.look();
      await sleep(LOOK_MS, until);
    }
    await this.#link.close();
  }

  /** Declares what is absent. Never rejects: a queue that does not answer holds up none of the others, and is tried again. */
  async look(): Promise<void> {
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    await Promise.allSettled([
      ...this.#services.map((service) => this.#link.use((connection) => this.#lookAt(connection, service))),
      ...this.#removed
        .filter((name) => !this.#deleted.has(name))
        .map((name) => this.#link.use((connection) => this.#delete(connection, name))),
    ]);
    this.options.onLook();
  }

  async #lookAt(connection: ChannelModel, service: ServiceSpec): Promise<void> {
    const { queue, maxLength } = service;
    const settings = JSON.stringify(service);
    let state = await queueState(connection, queue);
    if (state === undefined || this.#declared.get(queue) !== settings) {
      for (const step of serviceSteps(this.options.namespace, service))
        await this.#declarations.take(connection, step);
      state = await queueState(connection, queue);
    }
    if (!this.#services.includes(service)) return;
    if (state === undefined) {
      this.#forget(queue);
      return;
    }
    this.#declared.set(queue, settings);
    this.#states.set(queue, { ...state, maxLength: this.#keptLengths.get(`queue ${queue}`) ?? maxLength });
  }

  #forget(queue: string): void {
    this.#states.delete(queue);
    this.#declared.delete(queue);
    this.#keptLengths.delete(`queue ${queue}`);
  }

  async #delete(connection: ChannelModel, name: string): Promise<void> {
    const queue = serviceQueue(this.options.namespace, name);
    const dead = deadLetterName(queue);
    let messages = 0;
    const wasThere = (await queueState(connection, queue)) !== undefined;
    const refused = await failureOf(connection, async (channel) => {
      for (const each of [queue, dead]) messages += (await channel.deleteQueue(each)).messageCount;
      await channel.deleteExchange(dead);
    });
    this.#deleted.add(name);
    if (refused !== undefined)
      this.#declarations.note(
        `queue ${queue} of service ${name} was not deleted: this user ${lackOf(refused.message, { queue: 'configure', exchange: 'configure' })}`,
      );
    else if (wasThere)
      this.#declarations.note(
        `queue ${queue} of service ${name} and its dead-letter queue were deleted, with ${messages} messages`,
        false,
      );
  }
}
