/** Confirmed publishing: what is sent, and what the broker's answer to a message means. */
import { performance } from 'node:perf_hooks';
import type { ConfirmChannel } from 'amqplib';
import { brokerFault } from '../../connections/rabbitmq-fault';
import { withDeadline } from '../../clock/sleep';
import type { FaultRecord } from '../../fault/fault';
import { BrokerLink, NEEDS, type BrokerLinkOptions } from './broker-link';
import { ConfirmWindow, type Outgoing } from './confirm-window';
import { messageBody, messageId, publishOptions, type OutgoingMessage } from './outgoing-message';

/** How long the first message on a spare connection may take. Milliseconds. */
const WARM_MS = 2000;
/** amqplib's message for a nack from the broker. */
const NACKED = 'message nacked';

export interface PublisherOptions extends BrokerLinkOptions {
  /** A message to that exchange reached no queue. */
  readonly onUnroutable: (exchange: string) => void;
  /** A queue rejected a message. If this callback is given, the message still counts as published. */
  readonly onRejected?: () => void;
}

export class Publisher {
  readonly #window = new ConfirmWindow();
  readonly #link: BrokerLink;
  /** Ids of messages that came back as unroutable; the ack that follows confirms nothing. */
  readonly #returned = new Set<string>();

  constructor(private readonly options: PublisherOptions) {
    this.#link = new BrokerLink(options, {
      owedMs: () => this.#window.owedMs(performance.now()),
      onChannel: (channel) => this.#hearReturns(channel),
      onBlocked: (fault) => this.#window.failWaiting(fault),
      onUnblocked: () => this.#pump(),
      onLost: (fault, what) => {
        this.#window.failAll(fault);
        // An abandoned channel may still be acknowledging messages it has returned.
        if (what === 'connection') this.#returned.clear();
      },
    });
  }

  /** Publications with a final answer. */
  get settled(): number {
    return this.#window.settled;
  }

  /** Publications that wait for their confirm. */
  get unsettled(): number {
    return this.#window.unconfirmed;
  }

  /** How long the last confirm took; undefined before the first. */
  get confirmMs(): number | undefined {
    return this.#window.confirmMs;
  }

  /** Why nothing can be published now; undefined if publishing is possible. */
  get fault(): FaultRecord | undefined {
    return this.#link.fault;
  }

  /** Why nothing is confirmed although publishing is possible. */
  get trouble(): FaultRecord | undefined {
    return this.#link.trouble;
  }

  /** Resolves when the first connection is open or has failed. */
  async begun(): Promise<void> {
    return this.#link.begun();
  }

  /** Keeps a connection until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#link.run(signal);
    this.#window.failAll({ code: 'stopped', message: 'the notifier was stopped' });
  }

  /**
   * Resolves when the broker has confirmed the message, with the fault when it has not taken it. A message that is on its
   * way, or was confirmed lately, is not sent again: it gets the same answer. Never rejects.
   */
  async publish(publication: OutgoingMessage): Promise<FaultRecord | undefined> {
    await this.#link.begun();
    const known = this.#window.known(messageId(publication));
    if (known !== undefined) return known;
    const { fault } = this.#link;
    if (fault !== undefined) return fault;
    const answer = this.#window.offer(publication, performance.now());
    this.#pump();
    return answer;
  }

  #pump(): void {
    for (;;) {
      const { channel } = this.#link;
      const outgoing = channel && this.#window.next(performance.now());
      if (channel === undefined || outgoing === undefined) return;
      const spare = this.#link.warmUp();
      if (spare !== undefined) void this.#warm(spare, outgoing);
      else this.#send(channel, outgoing, (nack) => this.#answered(outgoing, nack));
    }
  }

  /**
   * Publishes the one message that warms up a standby connection. Without a timely answer it is refused and
   * offered again.
   */
  async #warm(channel: ConfirmChannel, outgoing: Outgoing): Promise<void> {
    const answer = new Promise<{ nack: unknown }>((resolve) =>
      this.#send(channel, outgoing, (nack) => resolve({ nack })),
    );
    const { nack } = (await withDeadline(answer, WARM_MS)) ?? { nack: new Error('no confirm in time') };
    const isAnswered = !isEndOfChannel(nack);
    this.#link.warmed(channel, isAnswered);
    if (isAnswered) this.#answered(outgoing, nack);
    else this.#window.refuse(outgoing, this.#faultOf(nack));
    this.#pump();
  }

  #send(channel: ConfirmChannel, outgoing: Outgoing, onAnswer: (nack: unknown) => void): void {
    const { publication, queuedMs } = outgoing;
    const { exchange, routingKey } = publication;
    try {
      const options = publishOptions(publication, performance.now() - queuedMs);
      channel.publish(exchange, routingKey, messageBody(publication), options, onAnswer);
    } catch (error) {
      this.#window.refuse(outgoing, this.#faultOf(error as Error));
    }
  }

  #answered(outgoing: Outgoing, nack: unknown): void {
    // A channel that closes fails every confirm it owed; the reason is known when the session has ended.
    if (isEndOfChannel(nack)) return;
    const fault = this.#verdict(outgoing.publication, nack);
    if (fault === undefined) {
      this.#window.confirm(outgoing, performance.now());
      this.#link.confirmed();
    } else {
      if (fault.code === 'broker-nack') this.#link.refused();
      this.#window.refuse(outgoing, fault);
    }
    this.#pump();
  }

  #verdict(publication: OutgoingMessage, nack: unknown): FaultRecord | undefined {
    const { exchange, routingKey } = publication;
    if (this.#returned.delete(messageId(publication))) {
      const message = `no queue takes messages with the key ${routingKey} from exchange ${exchange}`;
      return { code: 'unroutable', message };
    }
    if (nack === null || nack === undefined) return undefined;
    if (this.options.onRejected !== undefined) {
      this.options.onRejected();
      return undefined;
    }
    const message = `${this.#link.subject} did not take a message; its queue is full or failing`;
    return { code: 'broker-nack', message };
  }

  #hearReturns(channel: ConfirmChannel): void {
    channel.on('return', (message) => {
      this.#returned.add(String(message.properties.messageId));
      this.options.onUnroutable(message.fields.exchange);
    });
  }

  #faultOf(error: Error): FaultRecord {
    return brokerFault(this.options.url, error, NEEDS);
  }
}

/** Whether a closed channel, and not the broker, answered for the message. */
function isEndOfChannel(nack: unknown): nack is Error {
  return nack instanceof Error && nack.message !== NACKED;
}
