/** Confirmed publishing on one connection that is opened again for as long as it is wanted. */
import { performance } from 'node:perf_hooks';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { closeInTime, connectBroker, leaveHost } from '../../connections/rabbitmq';
import { brokerFault } from '../../connections/rabbitmq-fault';
import { backOffMs, type BackOff } from '../../clock/back-off';
import { sleep, withDeadline } from '../../clock/sleep';
import { hostsOf, redactUrl } from '../../url/url';
import type { FaultRecord } from '../../fault/fault';
import { ConfirmWindow, type Outgoing } from './confirm-window';
import { endOfChannel, endOfConnection } from './link-end';
import type { Remedy } from './refusals';
import { Standby } from './standby';
import { REFUSED, Trouble } from './trouble';
import { publishOptions, type Publication } from './publication';

const RECONNECT: BackOff = { firstMs: 250, capMs: 5000 };
const WATCH_MS = 500;
/** What a spare connection's first message may take. */
const WARM_MS = 2000;
/** amqplib's words for a nack of the broker's. */
const NACKED = 'message nacked';

/** What publishing needs. */
const NEEDS = { exchange: 'write' } as const;

export interface PublisherOptions {
  /** May name several hosts, tried in turn. */
  readonly url: string;
  /** Shown in RabbitMQ's list of connections. */
  readonly name: string;
  /** Called for every new connection before anything is published. */
  readonly prepare: () => Promise<void>;
  /** Resolves when all nodes have agreed to a declaration. Given, a connection to another host stands by. */
  readonly agreed?: () => Promise<void>;
  /** A message to that exchange reached no queue. */
  readonly onUnroutable: (exchange: string) => void;
  /** Why the queue may refuse everything, where it is full; undefined where it is not. */
  readonly fullness?: () => Promise<FaultRecord | undefined>;
  /** A queue did not take a message. Where this is given that is the queue's affair: the message counts as published. */
  readonly onRejected?: () => void;
  /** Told when messages are confirmed, or can be published as far as is known; and why when they cannot. */
  readonly onReadiness: (fault?: FaultRecord) => void;
}

type Link =
  | { readonly name: 'down'; readonly fault: FaultRecord }
  | { readonly name: 'open'; readonly channel: ConfirmChannel }
  /** A resource alarm: the broker reads nothing more, and confirms what it has read when the alarm is over. */
  | { readonly name: 'blocked'; readonly channel: ConfirmChannel };

export class Publisher {
  readonly #window = new ConfirmWindow();
  #link: Link;
  /** Settles when the first connection is open or has failed: what comes before that waits for it. */
  readonly #firstOutcome: Promise<void>;
  #settleFirstOutcome: () => void = () => undefined;
  /** Sessions since the last confirm. */
  #attempt = 0;
  readonly #trouble: Trouble;
  readonly #standby: Standby | undefined;
  /** Ids of messages that came back as unroutable; their ack, which follows, is none. */
  readonly #returned = new Set<string>();

  constructor(private readonly options: PublisherOptions) {
    this.#firstOutcome = new Promise((resolve) => {
      this.#settleFirstOutcome = resolve;
    });
    const fault = { code: 'broker-connecting', message: `${this.#name()} is not connected yet` };
    this.#link = { name: 'down', fault };
    const { url, name, agreed, fullness } = options;
    if (agreed !== undefined && hostsOf(url).length > 1) {
      const onChannel = (channel: ConfirmChannel) => this.#hearReturns(channel);
      this.#standby = new Standby({ url, name, agreed, onChannel });
    }
    this.#trouble = new Trouble({
      url,
      ...(fullness === undefined ? {} : { fullness }),
      standby: async () => this.#standby?.state() ?? 'absent',
      onTrouble: options.onReadiness,
    });
  }

  /** Publications whose end is known. */
  get settled(): number {
    return this.#window.settled;
  }

  /** Publications that wait for their confirm. */
  get unsettled(): number {
    return this.#window.unconfirmed;
  }

  /** Why nothing can be published now; undefined when it can. */
  get fault(): FaultRecord | undefined {
    switch (this.#link.name) {
      case 'down':
        return this.#link.fault;
      case 'blocked':
        return {
          code: 'broker-blocked',
          message: `${this.#name()} takes no messages: it is short of memory or disk`,
        };
      case 'open':
        return undefined;
    }
  }

  /** Why nothing is confirmed, though it can be published. */
  get trouble(): FaultRecord | undefined {
    return this.#trouble.fault;
  }

  /** Resolves when the first connection is open or has failed. */
  async begun(): Promise<void> {
    return this.#firstOutcome;
  }

  /** Keeps a connection until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#attempt++;
      try {
        await this.#session(signal);
      } catch (error) {
        this.#lose(brokerFault(this.options.url, error as Error, NEEDS));
      }
      await sleep(backOffMs(RECONNECT, Math.max(1, this.#attempt), Math.random()), signal);
    }
    this.#standby?.close();
    this.#window.failAll({ code: 'stopped', message: 'the notifier was stopped' });
  }

  /**
   * Resolves when the broker has confirmed the message, with the fault when it has not taken it. A message that is on its
   * way, or was confirmed lately, is not sent again: it gets the same answer. Never rejects.
   */
  async publish(publication: Publication): Promise<FaultRecord | undefined> {
    await this.#firstOutcome;
    const known = this.#window.known(publication.event.id);
    if (known !== undefined) return known;
    const { fault } = this;
    if (fault !== undefined) return fault;
    const answer = this.#window.offer(publication, performance.now());
    this.#pump();
    return answer;
  }

  #pump(): void {
    while (this.#link.name === 'open') {
      const outgoing = this.#window.next(performance.now());
      if (outgoing === undefined) return;
      const spare = this.#standby?.warmUp();
      if (spare !== undefined) void this.#warm(spare, outgoing);
      else this.#send(this.#link.channel, outgoing, (nack) => this.#answered(outgoing, nack));
    }
  }

  /** The one message that a connection which stands by publishes: another way is found for it when it is not answered. */
  async #warm(channel: ConfirmChannel, outgoing: Outgoing): Promise<void> {
    const answer = new Promise<{ nack: unknown }>((resolve) =>
      this.#send(channel, outgoing, (nack) => resolve({ nack })),
    );
    const { nack } = (await withDeadline(answer, WARM_MS)) ?? { nack: new Error('no confirm in time') };
    const isAnswered = !isEndOfChannel(nack);
    this.#standby?.warmed(channel, isAnswered);
    if (isAnswered) this.#answered(outgoing, nack);
    else this.#window.refuse(outgoing, brokerFault(this.options.url, nack, NEEDS));
    this.#pump();
  }

  #send(channel: ConfirmChannel, outgoing: Outgoing, onAnswer: (nack: unknown) => void): void {
    const { publication, queuedMs } = outgoing;
    const { exchange, routingKey, event } = publication;
    try {
      const options = publishOptions(publication, performance.now() - queuedMs);
      channel.publish(exchange, routingKey, Buffer.from(JSON.stringify(event)), options, onAnswer);
    } catch (error) {
      this.#window.refuse(outgoing, brokerFault(this.options.url, error as Error, NEEDS));
    }
  }

  #answered(outgoing: Outgoing, nack: unknown): void {
    // A channel that closes fails all it owed, and why is known when the session has ended.
    if (isEndOfChannel(nack)) return;
    const fault = this.#verdict(outgoing.publication, nack);
    if (fault === undefined) {
      this.#attempt = 0;
      this.#window.confirm(outgoing, performance.now());
      this.#trouble.confirmed();
    } else {
      if (fault.code === 'broker-nack') this.#trouble.refused(performance.now());
      this.#window.refuse(outgoing, fault);
    }
    this.#pump();
  }

  async #session(signal: AbortSignal): Promise<void> {
    const { url, name, prepare } = this.options;
    const spare = this.#standby?.take();
    const over = spare?.over ?? new AbortController();
    const connection = spare?.connection ?? (await connectBroker(url, name, over.signal));
    const ended = endOfConnection(connection, signal, over.signal);
    let kept: Promise<void> | undefined;
    const sessionOver = new AbortController();
    try {
      await Promise.race([prepare(), ended]);
      this.#follow(connection);
      kept = this.#standby?.keep(connection, sessionOver.signal);
      let remedy = await this.#publishOn(connection, ended, over.signal, spare?.channel);
      while (remedy === 'channel') remedy = await this.#publishOn(connection, ended, over.signal);
      if (remedy !== 'connection') return;
    } catch (error) {
      leaveHost(connection);
      throw error;
    } finally {
      sessionOver.abort();
      await closeInTime(connection);
      over.abort();
      await kept;
    }
    throw new Error(REFUSED);
  }

  /** Until the connection or the channel is over, or is to be renewed: returns which of them. */
  async #publishOn(
    connection: ChannelModel,
    ended: Promise<undefined>,
    over: AbortSignal,
    opened?: ConfirmChannel,
  ): Promise<Remedy | undefined> {
    const channel = opened ?? (await Promise.race([connection.createConfirmChannel(), ended]));
    if (channel === undefined) return undefined;
    if (opened === undefined) this.#hearReturns(channel);
    const channelEnded = endOfChannel(channel);
    this.#link = { name: 'open', channel };
    this.#settleFirstOutcome();
    this.options.onReadiness(this.#trouble.fault);
    const renewed = new AbortController();
    try {
      const remedy = await Promise.race([ended, channelEnded, this.#watch(over, renewed.signal)]);
      if (remedy === 'channel') await this.#giveUp(channel);
      if (remedy === 'host') throw new Error(REFUSED);
      return remedy;
    } finally {
      renewed.abort();
    }
  }

  #hearReturns(channel: ConfirmChannel): void {
    channel.on('return', (message) => {
      this.#returned.add(String(message.properties.messageId));
      this.options.onUnroutable(message.fields.exchange);
    });
  }

  /** What it owes will be published again on the next channel. */
  async #giveUp(channel: ConfirmChannel): Promise<void> {
    const fault = brokerFault(this.options.url, new Error(REFUSED));
    this.#link = { name: 'down', fault };
    this.#window.failAll(fault);
    await closeInTime(channel);
  }

  #follow(connection: ChannelModel): void {
    connection.on('blocked', () => {
      if (this.#link.name === 'open') this.#link = { name: 'blocked', channel: this.#link.channel };
      const { fault } = this;
      if (fault === undefined) return;
      this.#window.failWaiting(fault);
      this.options.onReadiness(fault);
    });
    connection.on('unblocked', () => {
      if (this.#link.name === 'blocked') this.#link = { name: 'open', channel: this.#link.channel };
      this.options.onReadiness(this.#trouble.fault);
      this.#pump();
    });
  }

  /** Rejects when the broker owes a confirm for too long, resolves with what to renew when it refuses for too long. */
  async #watch(over: AbortSignal, renewed: AbortSignal): Promise<Remedy | undefined> {
    const now = () => performance.now();
    while (!over.aborted && !renewed.aborted) {
      await sleep(WATCH_MS, over);
      if (this.#link.name !== 'open') continue;
      const remedy = await this.#trouble.remedy(() => this.#window.owedMs(now()), now);
      if (remedy !== undefined) return remedy;
    }
    return undefined;
  }

  #lose(fault: FaultRecord): void {
    this.#link = { name: 'down', fault };
    this.#settleFirstOutcome();
    this.#window.failAll(fault);
    this.#returned.clear();
    this.options.onReadiness(fault);
  }

  #verdict({ event, exchange, routingKey }: Publication, nack: unknown): FaultRecord | undefined {
    if (this.#returned.delete(event.id)) {
      const message = `no queue takes messages with the key ${routingKey} from exchange ${exchange}`;
      return { code: 'unroutable', message };
    }
    if (nack === null || nack === undefined) return undefined;
    if (this.options.onRejected !== undefined) {
      this.options.onRejected();
      return undefined;
    }
    return {
      code: 'broker-nack',
      message: `${this.#name()} did not take a message; its queue is full or failing`,
    };
  }

  #name(): string {
    return `rabbitmq at ${redactUrl(this.options.url)}`;
  }
}

/** All that a channel owed when it was closed, by whatever. */
function isEndOfChannel(nack: unknown): nack is Error {
  return nack instanceof Error && nack.message !== NACKED;
}
