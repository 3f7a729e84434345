/** Confirmed publishing on one connection that is opened again for as long as it is wanted. */
import type { ChannelModel, ConfirmChannel, Options } from 'amqplib';
import { connectBroker } from '../../broker/connect';
import { backOffMs, type BackOff } from '../../clock/back-off';
import { aborted, sleep, withDeadline } from '../../clock/sleep';
import { redactUrl } from '../../config/url';
import { CLOUDEVENTS_JSON } from '../../contract/events';
import type { VigilEvent } from '../../contract/message';
import type { FaultRecord } from '../../protocol/fault';
import { brokerFault } from './broker-fault';

const RECONNECT: BackOff = { firstMs: 250, capMs: 5000 };
/** A broker that is frozen never answers a close. */
const CLOSE_MS = 500;

export interface PublisherOptions {
  readonly url: string;
  /** Called on every new connection before anything is published. */
  readonly prepare: (connection: ChannelModel) => Promise<void>;
  /** Told when messages can be published, and why when they cannot. */
  readonly onReadiness: (fault?: FaultRecord) => void;
}

export interface Publication {
  readonly exchange: string;
  readonly routingKey: string;
  readonly event: VigilEvent;
  /** Lifetime of the message in a queue; none for events that do not age. */
  readonly expirationMs?: number;
  /** Whether a message that reaches no queue is a failure. */
  readonly mandatory: boolean;
}

type Settle = (fault?: FaultRecord) => void;

export class Publisher {
  #channel: ConfirmChannel | undefined;
  /** Settles when the first connection is open or has failed: what comes before that waits for it. */
  readonly #firstOutcome: Promise<void>;
  #settleFirstOutcome: () => void = () => undefined;
  #declaring = false;
  #settled = 0;
  #fault: FaultRecord;
  #blocked = false;
  /** Publications that wait for their confirm, by message id. */
  readonly #unconfirmed = new Set<Settle>();
  /** Ids of messages that came back as unroutable; their ack, which follows, is none. */
  readonly #returned = new Set<string>();

  constructor(private readonly options: PublisherOptions) {
    this.#firstOutcome = new Promise((resolve) => {
      this.#settleFirstOutcome = resolve;
    });
    this.#fault = { code: 'broker-connecting', message: `${this.#name()} is not connected yet` };
  }

  /** Publications whose end is known. */
  get settled(): number {
    return this.#settled;
  }

  /** Publications that wait for their confirm. */
  get unsettled(): number {
    return this.#unconfirmed.size;
  }

  /** Why nothing can be published now; undefined when it can. */
  get fault(): FaultRecord | undefined {
    if (this.#channel === undefined) return this.#fault;
    return this.#blocked ? this.#blockedFault() : undefined;
  }

  /** Keeps a connection until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await this.#session(signal, () => {
          attempt = 0;
        });
      } catch (error) {
        this.#lose(brokerFault(this.options.url, error as Error));
      }
      await sleep(backOffMs(RECONNECT, Math.max(1, attempt), Math.random()), signal);
    }
  }

  /** Resolves when the broker has confirmed the message, with the fault when it has not taken it. Never rejects. */
  async publish(publication: Publication): Promise<FaultRecord | undefined> {
    const { exchange, routingKey, event, expirationMs, mandatory } = publication;
    await this.#firstOutcome;
    const { fault } = this;
    const channel = this.#channel;
    if (channel === undefined || fault !== undefined) return fault;
    const options: Options.Publish = {
      mandatory,
      persistent: true,
      contentType: CLOUDEVENTS_JSON,
      messageId: event.id,
      type: event.type,
      timestamp: Math.floor(Date.parse(event.time) / 1000),
      ...(expirationMs === undefined ? {} : { expiration: String(expirationMs) }),
    };
    return new Promise((resolve) => {
      const settle: Settle = (fault) => {
        this.#unconfirmed.delete(settle);
        this.#settled++;
        resolve(fault);
      };
      this.#unconfirmed.add(settle);
      try {
        channel.publish(
          exchange,
          routingKey,
          Buffer.from(JSON.stringify(event)),
          options,
          (nack: unknown) => {
            settle(this.#verdict(event.id, routingKey, nack));
          },
        );
      } catch (error) {
        settle(brokerFault(this.options.url, error as Error));
      }
    });
  }

  async #session(signal: AbortSignal, onOpen: () => void): Promise<void> {
    const { url, prepare, onReadiness } = this.options;
    const socket = new AbortController();
    const connection = await connectBroker(url, 'vigil notifier', socket.signal);
    const ended = this.#endOf(connection, signal, socket.signal);
    try {
      await Promise.race([prepare(connection), ended]);
      const channel = await Promise.race([connection.createConfirmChannel(), ended]);
      if (channel === undefined) return;
      channel.on('return', (message) => {
        this.#returned.add(String(message.properties.messageId));
        void this.#declareAgain(connection);
      });
      const channelEnded = new Promise<never>((_, reject) => {
        channel.on('error', reject);
        channel.on('close', () => {
          reject(new Error('the channel was closed'));
        });
      });
      this.#channel = channel;
      onOpen();
      this.#settleFirstOutcome();
      onReadiness();
      await Promise.race([ended, channelEnded]);
    } finally {
      this.#channel = undefined;
      this.#blocked = false;
      await withDeadline(connection.close(), CLOSE_MS).catch(() => undefined);
      socket.abort();
    }
  }

  /** Settles when the connection is over: resolves on `signal`, rejects with the cause otherwise. */
  async #endOf(connection: ChannelModel, signal: AbortSignal, over: AbortSignal): Promise<undefined> {
    connection.on('blocked', () => {
      this.#blocked = true;
      this.options.onReadiness(this.#blockedFault());
    });
    connection.on('unblocked', () => {
      this.#blocked = false;
      this.options.onReadiness();
    });
    const ended = new Promise<undefined>((resolve, reject) => {
      connection.on('error', reject);
      connection.on('close', (error?: Error) => {
        reject(error ?? new Error('the connection was closed'));
      });
      void aborted(signal, over).then(resolve);
    });
    // It may end while nobody waits for it yet.
    ended.catch(() => undefined);
    return ended;
  }

  /** A message that reached no queue: somebody deleted it. */
  async #declareAgain(connection: ChannelModel): Promise<void> {
    if (this.#declaring) return;
    this.#declaring = true;
    await this.options.prepare(connection).catch(() => undefined);
    this.#declaring = false;
  }

  #lose(fault: FaultRecord): void {
    this.#fault = fault;
    this.#settleFirstOutcome();
    for (const settle of [...this.#unconfirmed]) settle(fault);
    this.#returned.clear();
    this.options.onReadiness(fault);
  }

  #verdict(id: string, routingKey: string, nack: unknown): FaultRecord | undefined {
    if (this.#returned.delete(id))
      return { code: 'unroutable', message: `no queue takes messages with the key ${routingKey}` };
    if (nack === null || nack === undefined) return undefined;
    // A channel that closes fails all it owed.
    if (nack instanceof Error && nack.message !== 'message nacked')
      return brokerFault(this.options.url, nack);
    return {
      code: 'broker-nack',
      message: `${this.#name()} did not take a message; its queue is full or failing`,
    };
  }

  #blockedFault(): FaultRecord {
    return {
      code: 'broker-blocked',
      message: `${this.#name()} takes no messages: it is short of memory or disk`,
    };
  }

  #name(): string {
    return `rabbitmq at ${redactUrl(this.options.url)}`;
  }
}
