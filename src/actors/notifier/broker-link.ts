/** The connection that messages are published on, with its channel: reopened until it is closed on purpose. */
import { performance } from 'node:perf_hooks';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { closeInTime, connectBroker, leaveHost } from '../../connections/rabbitmq';
import { brokerFault } from '../../connections/rabbitmq-fault';
import { backOffMs, type BackOff } from '../../clock/back-off';
import { sleep } from '../../clock/sleep';
import { hostsOf, redactUrl } from '../../url/url';
import type { FaultRecord } from '../../fault/fault';
import { endOfChannel, endOfConnection } from './link-end';
import type { Remedy } from './refusals';
import { Standby } from './standby';
import { REFUSED, Trouble } from './trouble';

const RECONNECT: BackOff = { firstMs: 250, capMs: 5000 };
const WATCH_MS = 500;

/** What publishing needs. */
export const NEEDS = { exchange: 'write' } as const;

export interface BrokerLinkOptions {
  /** May name several hosts, tried in turn. */
  readonly url: string;
  /** Shown in RabbitMQ's list of connections. */
  readonly name: string;
  /** Called for every new connection before anything is published. */
  readonly prepare: () => Promise<void>;
  /** Resolves when all nodes have agreed to a declaration. Given, a connection to another host stands by. */
  readonly agreed?: (() => Promise<void>) | undefined;
  /** Why the queue may refuse everything, if it is full; undefined if it is not. */
  readonly fullness?: (() => Promise<FaultRecord | undefined>) | undefined;
  /** Called when messages are confirmed, or can probably be published; with the reason when they cannot. */
  readonly onReadiness: (fault?: FaultRecord) => void;
}

/** Requests of the link to the publisher, and its reports. */
export interface BrokerLinkUser {
  /** How long the oldest confirm has been owed, milliseconds. */
  readonly owedMs: () => number;
  /** A new channel: prepares it to be published on. */
  readonly onChannel: (channel: ConfirmChannel) => void;
  /** Nothing more can be sent for now; what was sent may still be confirmed. */
  readonly onBlocked: (fault: FaultRecord) => void;
  readonly onUnblocked: () => void;
  /** The channel, or the whole connection, has gone with every confirm it owed. */
  readonly onLost: (fault: FaultRecord, what: 'channel' | 'connection') => void;
}

type State =
  | { readonly name: 'down'; readonly fault: FaultRecord }
  | { readonly name: 'open'; readonly channel: ConfirmChannel }
  /** A resource alarm: the broker reads nothing more, and confirms what it has read when the alarm is over. */
  | { readonly name: 'blocked'; readonly channel: ConfirmChannel };

export class BrokerLink {
  /** How the server is named in messages, without its password. */
  readonly subject: string;
  #state: State;
  /** Settles when the first connection is open or has failed: earlier publications wait for it. */
  readonly #firstOutcome: Promise<void>;
  #settleFirstOutcome: () => void = () => undefined;
  /** Sessions since the last confirm. */
  #attempt = 0;
  readonly #trouble: Trouble;
  readonly #standby: Standby | undefined;

  constructor(
    private readonly options: BrokerLinkOptions,
    private readonly user: BrokerLinkUser,
  ) {
    const { url, name, agreed, fullness, onReadiness } = options;
    this.subject = `rabbitmq at ${redactUrl(url)}`;
    this.#firstOutcome = new Promise((resolve) => {
      this.#settleFirstOutcome = resolve;
    });
    const fault = { code: 'broker-connecting', message: `${this.subject} is not connected yet` };
    this.#state = { name: 'down', fault };
    if (agreed !== undefined && hostsOf(url).length > 1)
      this.#standby = new Standby({ url, name, agreed, onChannel: user.onChannel });
    this.#trouble = new Trouble({
      url,
      fullness,
      standby: async () => this.#standby?.state() ?? 'absent',
      onTrouble: onReadiness,
    });
  }

  /** The channel to publish on; undefined if nothing can be published now. */
  get channel(): ConfirmChannel | undefined {
    return this.#state.name === 'open' ? this.#state.channel : undefined;
  }

  /** Why nothing can be published now; undefined if publishing is possible. */
  get fault(): FaultRecord | undefined {
    switch (this.#state.name) {
      case 'down':
        return this.#state.fault;
      case 'blocked':
        return {
          code: 'broker-blocked',
          message: `${this.subject} takes no messages: it is short of memory or disk`,
        };
      case 'open':
        return undefined;
    }
  }

  /** Why nothing is confirmed although publishing is possible. */
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
  }

  /** The broker has confirmed a message. */
  confirmed(): void {
    this.#attempt = 0;
    this.#trouble.confirmed();
  }

  /** The broker has refused a message. */
  refused(): void {
    this.#trouble.refused(performance.now());
  }

  /** The channel of a standby connection if it has published nothing yet; see {@link Standby.warmUp}. */
  warmUp(): ConfirmChannel | undefined {
    return this.#standby?.warmUp();
  }

  /** Whether what was published on that channel was answered. */
  warmed(channel: ConfirmChannel, isAnswered: boolean): void {
    this.#standby?.warmed(channel, isAnswered);
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
      let remedy = await this.#serve(connection, ended, over.signal, spare?.channel);
      while (remedy === 'channel') remedy = await this.#serve(connection, ended, over.signal);
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

  /** Offers one channel until it or the connection ends or is to be renewed; returns what to renew. */
  async #serve(
    connection: ChannelModel,
    ended: Promise<undefined>,
    over: AbortSignal,
    opened?: ConfirmChannel,
  ): Promise<Remedy | undefined> {
    const channel = opened ?? (await Promise.race([connection.createConfirmChannel(), ended]));
    if (channel === undefined) return undefined;
    if (opened === undefined) this.user.onChannel(channel);
    const channelEnded = endOfChannel(channel);
    this.#state = { name: 'open', channel };
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

  /** The messages it has not confirmed are published again on the next channel. */
  async #giveUp(channel: ConfirmChannel): Promise<void> {
    const fault = brokerFault(this.options.url, new Error(REFUSED));
    this.#state = { name: 'down', fault };
    this.user.onLost(fault, 'channel');
    await closeInTime(channel);
  }

  #follow(connection: ChannelModel): void {
    connection.on('blocked', () => {
      if (this.#state.name === 'open') this.#state = { name: 'blocked', channel: this.#state.channel };
      const { fault } = this;
      if (fault === undefined) return;
      this.user.onBlocked(fault);
      this.options.onReadiness(fault);
    });
    connection.on('unblocked', () => {
      if (this.#state.name === 'blocked') this.#state = { name: 'open', channel: this.#state.channel };
      this.options.onReadiness(this.#trouble.fault);
      this.user.onUnblocked();
    });
  }

  /**
   * Rejects if a confirm is overdue for too long; resolves with what to renew if the broker refuses for too
   * long.
   */
  async #watch(over: AbortSignal, renewed: AbortSignal): Promise<Remedy | undefined> {
    while (!over.aborted && !renewed.aborted) {
      await sleep(WATCH_MS, over);
      if (this.#state.name !== 'open') continue;
      const remedy = await this.#trouble.remedy(this.user.owedMs, () => performance.now());
      if (remedy !== undefined) return remedy;
    }
    return undefined;
  }

  #lose(fault: FaultRecord): void {
    this.#state = { name: 'down', fault };
    this.#settleFirstOutcome();
    this.user.onLost(fault, 'connection');
    this.options.onReadiness(fault);
  }
}
