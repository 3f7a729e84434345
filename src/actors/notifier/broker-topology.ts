/** Declares the RabbitMQ objects the contract promises if they are absent, on a connection of its own. */
import type { ChannelModel } from 'amqplib';
import { sleep } from '../../clock/sleep';
import type { QueueSpec } from '../../config/topology';
import { frameExchange } from '../../contract/broker-names';
import type { FaultRecord } from '../../fault/fault';
import { Declarations, type TopologyNote } from './declarations';
import { DeclaringLink } from './declaring-link';
import { OldQueues, queueLength, queueState } from './old-queues';
import { ACCESS_REFUSED, codeOf, NOT_FOUND, onOwnChannel } from './own-channel';
import { chooseRoute, type Route } from './route';
import { bindingStep, directBinding, sharedBinding, topologySteps } from './topology-steps';

/** Longest time until a deleted object is noticed. Publishing itself only notices when no queue at all is left. */
const CHECK_MS = 10_000;
/** A queue at this share of its limit counts as full: a consumer may just have taken some messages. */
const FULL_SHARE = 0.9;

export interface BrokerTopologyOptions {
  readonly url: string;
  readonly namespace: string;
  readonly queue: QueueSpec;
  /** Further queues that Vigil currently uses. */
  readonly others?: readonly string[];
  /** Where the names of declared queues are kept. */
  readonly queuesFile: string | undefined;
  readonly onNote: (note: TopologyNote) => void;
}

/** Exchange, detection queue with its dead-letter queue, and the bindings between them. */
export class BrokerTopology {
  readonly #link: DeclaringLink;
  readonly #declarations: Declarations;
  readonly #oldQueues: OldQueues;
  /** Messages in the detection queue and in old queues, as of the last check. */
  readonly #lengths = new Map<string, number>();
  #consumers: number | undefined;
  /** The bound that the queue has, which a change of the configuration does not move. */
  #maxLength: number;
  #route: Route = 'shared';
  /** A frame reached no queue on that route. */
  #disproved: Route | undefined;
  #wasDeclared = false;
  #ensuring: Promise<void> | undefined;

  constructor(private readonly options: BrokerTopologyOptions) {
    const { url, namespace, queue, others = [], queuesFile, onNote } = options;
    this.#link = new DeclaringLink(url, 'vigil notifier declares');
    this.#maxLength = queue.maxLength;
    this.#oldQueues = new OldQueues(namespace, [queue.name, ...others], queuesFile);
    this.#declarations = new Declarations({
      url,
      onNote,
      onKept: ({ what, setting, current }) => {
        if (what === `queue ${queue.name}` && setting === 'x-max-length') this.#maxLength = Number(current);
      },
    });
  }

  /** Why no queue may accept what is published, if known: the end of a sentence. */
  get hindrance(): string | undefined {
    return this.#declarations.hindrance;
  }

  /** Number of messages in the queues that Vigil declared, by their kind, and of consumers of the detection queue. */
  get facts(): Record<string, string | number> {
    const { name } = this.options.queue;
    const facts: Record<string, string | number> = {
      ...(this.#consumers === undefined ? {} : { queueConsumers: this.#consumers }),
    };
    for (const [queue, messages] of this.#lengths) {
      if (queue === name) facts[`queue ${queue}`] = `${messages} of ${this.#maxLength}`;
      else facts[`old queue ${queue}`] = messages;
    }
    return facts;
  }

  /** Consumers of the detection queue; undefined if not known. */
  get consumers(): number | undefined {
    return this.#consumers;
  }

  /** Why the detection queue refuses messages, if the reason is that it is full. */
  async fullness(): Promise<FaultRecord | undefined> {
    const { name } = this.options.queue;
    const length = await this.#link.use((connection) => queueLength(connection, name)).catch(() => undefined);
    if (length === undefined || length < this.#maxLength * FULL_SHARE) return undefined;
    const held = `${length} of ${this.#maxLength} messages`;
    return {
      code: 'broker-full',
      message: `queue ${name} is full (${held}); frames wait in the spool until its consumers have made room`,
    };
  }

  /** Vigil now uses these queues too; other queues it has used are old ones. */
  async changed(others: readonly string[]): Promise<void> {
    this.#oldQueues.want([this.options.queue.name, ...others]);
    if (this.#link.isOpen) await this.ensure().catch(() => undefined);
  }

  get route(): Route {
    return this.#route;
  }

  /**
   * Declares everything that is absent and may be declared; what others have declared is used unchanged. One run at a time: a
   * second caller gets the same result.
   * @throws Fault `broker-topology` without the exchange; whatever the connection throws
   */
  async ensure(): Promise<void> {
    this.#ensuring ??= this.#link
      .use((connection) => this.#declareAll(connection))
      .finally(() => {
        this.#ensuring = undefined;
      });
    return this.#ensuring;
  }

  /**
   * Resolves when everything was declared once. Later connections publish at once, and declarations are repeated meanwhile if
   * necessary: while a node is frozen or cut off, no binding is answered until that node counts as dead.
   */
  async ready(): Promise<void> {
    const declared = this.ensure();
    if (!this.#wasDeclared) await declared;
    else declared.catch(() => undefined);
  }

  /** A frame sent this way reached no queue: checks again, and looks for another route if the cause is not known. */
  async restore(route: Route): Promise<void> {
    if (route === this.#route) this.#disproved = route;
    await this.ensure().catch(() => undefined);
  }

  async #declareAll(connection: ChannelModel): Promise<void> {
    const { namespace, queue } = this.options;
    const declarations = this.#declarations;
    const disproved = this.#disproved;
    this.#disproved = undefined;
    declarations.hindrance = undefined;
    for (const step of topologySteps(namespace, queue)) await declarations.take(connection, step);
    this.#route = await chooseRoute(connection, namespace, queue, disproved, declarations);
    if (this.#route === 'shared')
      await declarations.take(connection, bindingStep(sharedBinding(namespace, queue.name)));
    this.#wasDeclared = true;
    await this.#oldQueues.retire(connection, declarations);
    await this.#measure(connection);
  }

  async #measure(connection: ChannelModel): Promise<void> {
    this.#lengths.clear();
    for (const name of [this.options.queue.name, ...this.#oldQueues.names]) {
      const found = await queueState(connection, name);
      if (found !== undefined) this.#lengths.set(name, found.messages);
      if (name === this.options.queue.name) this.#consumers = found?.consumers;
    }
  }

  /** Checks regularly whether all objects exist, and declares missing ones; ends with `signal`. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Without a connection nothing was declared yet; the publisher's next session does that.
      if (this.#link.isOpen) await this.#check().catch(() => undefined);
      await sleep(CHECK_MS, signal);
    }
    await this.#link.close();
  }

  async #check(): Promise<void> {
    const { namespace, queue } = this.options;
    const shared = sharedBinding(namespace, queue.name);
    // An older Vigil may have bound the queue again, which would then get every frame twice.
    const works = this.#route === 'direct' ? [directBinding(queue).make, shared.end] : [shared.make];
    const missing = await this.#link.use(async (connection) => {
      await this.#measure(connection);
      return onOwnChannel(connection, async (channel) => {
        await channel.checkExchange(frameExchange(namespace));
        await channel.checkQueue(queue.name);
        for (const work of works) await work(channel);
        return false;
      }).catch((error: unknown) => {
        if (codeOf(error) === NOT_FOUND) return true;
        if (codeOf(error) === ACCESS_REFUSED) return false;
        throw error;
      });
    });
    if (missing) await this.ensure();
  }
}
