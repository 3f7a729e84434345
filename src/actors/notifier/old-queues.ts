/** Queues that Vigil declared under an earlier configuration: remembered, unbound, never deleted. */
import type { ChannelModel } from 'amqplib';
import { readQueueNames, writeQueueNames } from '../../connections/queue-names';
import { defaultQueue, frameExchange } from '../../contract/broker-names';
import { lackOf, type Declarations } from './declarations';
import { ACCESS_REFUSED, codeOf, failureOf, NOT_FOUND, onOwnChannel } from './own-channel';
import { BINDING_NEEDS, sharedBinding } from './topology-steps';

export class OldQueues {
  readonly #names: Set<string>;
  #wanted: readonly string[];

  /** @param file where the names are kept across processes; without it only the default queue is known */
  constructor(
    private readonly namespace: string,
    wanted: readonly string[],
    private readonly file: string | undefined,
  ) {
    this.#names = new Set([defaultQueue(namespace), ...readQueueNames(file)]);
    this.#wanted = wanted;
    this.want(wanted);
  }

  /** Vigil uses these queues from now on; those used before become old. */
  want(wanted: readonly string[]): void {
    for (const name of this.#wanted) this.#names.add(name);
    for (const name of wanted) this.#names.delete(name);
    this.#wanted = wanted;
    this.#write();
  }

  get names(): readonly string[] {
    return [...this.#names];
  }

  /**
   * Removes the bindings of old queues and reports what they hold. Queues that no longer exist are forgotten.
   */
  async retire(connection: ChannelModel, declarations: Declarations): Promise<void> {
    for (const name of this.names) {
      const messages = await this.#messages(connection, name);
      if (messages === undefined) continue;
      const refused = await failureOf(connection, sharedBinding(this.namespace, name).end);
      const holds = messages === 0 ? 'is empty' : `holds ${messages} messages`;
      if (refused === undefined || codeOf(refused) === NOT_FOUND)
        declarations.note(
          `queue ${name}, of an earlier configuration, gets no more frames and ${holds}; ${messages === 0 ? '' : 'consume them, then '}delete it: rabbitmqctl delete_queue ${name}`,
        );
      else if (codeOf(refused) === ACCESS_REFUSED)
        declarations.note(
          `queue ${name}, of an earlier configuration, ${holds} and may still be bound to exchange ${frameExchange(this.namespace)}: this user ${lackOf(refused.message, BINDING_NEEDS)}; unbind it`,
        );
      else throw refused;
    }
  }

  /** Undefined if there is no such queue. */
  async #messages(connection: ChannelModel, name: string): Promise<number | undefined> {
    let messages = 0;
    const error = await failureOf(connection, async (channel) => {
      messages = (await channel.checkQueue(name)).messageCount;
    });
    if (error !== undefined && codeOf(error) === NOT_FOUND) {
      this.#names.delete(name);
      this.#write();
      return undefined;
    }
    return messages;
  }

  #write(): void {
    if (this.file !== undefined) writeQueueNames(this.file, [...this.#wanted, ...this.#names]);
  }
}

export interface QueueState {
  /** Waiting messages. */
  readonly messages: number;
  readonly consumers: number;
}

/** Number of messages waiting in a queue; undefined if it does not exist. */
export async function queueLength(connection: ChannelModel, name: string): Promise<number | undefined> {
  return (await queueState(connection, name))?.messages;
}

/** Queried by a passive declare; undefined if there is no such queue. */
export async function queueState(connection: ChannelModel, name: string): Promise<QueueState | undefined> {
  try {
    return await onOwnChannel(connection, async (channel) => {
      const { messageCount, consumerCount } = await channel.checkQueue(name);
      return { messages: messageCount, consumers: consumerCount };
    });
  } catch (error) {
    if (typeof codeOf(error) === 'number') return undefined;
    throw error;
  }
}
