/**
 * A second connection, to another host of a cluster, on which publishing continues if the first one fails.
 *
 * Before a channel's first message RabbitMQ (3.10, `rabbit_fifo_client:enqueue`) asks the node recorded as the
 * queue's leader, and waits without a limit. If that node is frozen, or was cut off without closing its connections, no other
 * leader is recorded until it counts as dead (`net_ticktime`, a minute): a channel opened meanwhile confirms nothing. A channel that
 * has published before learns of the new leader when it is elected, some 5 s after the fault. So one frame is published on it in advance.
 */
import { performance } from 'node:perf_hooks';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { closeInTime, connectBroker, leaveHost } from '../../connections/rabbitmq';
import { backOffMs, type BackOff } from '../../clock/back-off';
import { sleep, unlessAborted, withDeadline } from '../../clock/sleep';

const RECONNECT: BackOff = { firstMs: 500, capMs: 10_000 };
/** A host that works answers in milliseconds. */
const ANSWER_MS = 1000;
/** The servers need some seconds to continue without a node, which is not the same as a host that no longer stands by. */
const SILENT_MS = 15_000;

export interface Spare {
  readonly connection: ChannelModel;
  readonly channel: ConfirmChannel;
  /** Ends the connection's socket. */
  readonly over: AbortController;
}

export interface StandbyOptions {
  readonly url: string;
  readonly name: string;
  /** Resolves when all nodes have agreed to a declaration: the first message of a channel is answered then. */
  readonly agreed: () => Promise<void>;
  /** Prepares a channel to be published on. */
  readonly onChannel: (channel: ConfirmChannel) => void;
}

export class Standby {
  #spare: Spare | undefined;
  #stage: 'cold' | 'warming' | 'warm' = 'cold';
  #lostMs = -Infinity;

  constructor(private readonly options: StandbyOptions) {}

  /** A channel that has published nothing yet: the outcome of the next publication on it must be passed to {@link warmed}. */
  warmUp(): ConfirmChannel | undefined {
    if (this.#spare === undefined || this.#stage !== 'cold') return undefined;
    this.#stage = 'warming';
    return this.#spare.channel;
  }

  /** Whether the publication on it was answered. A connection that has not answered is closed. */
  warmed(channel: ConfirmChannel, answered: boolean): void {
    if (this.#spare?.channel !== channel) return;
    if (answered) this.#stage = 'warm';
    else this.#drop(this.#spare);
  }

  /** Whether another host stands by: one that does not answer at the moment is not a reason to leave the current one. */
  async state(): Promise<'absent' | 'silent' | 'ready'> {
    if (this.#spare !== undefined && this.#stage === 'warm')
      return (await answers(this.#spare.connection)) ? 'ready' : 'silent';
    return performance.now() - this.#lostMs < SILENT_MS ? 'silent' : 'absent';
  }

  /**
   * Hands over the standby connection. One that has published nothing is no better than a new one and is
   * closed.
   */
  take(): Spare | undefined {
    if (this.#stage !== 'warm') this.close();
    const spare = this.#spare;
    this.#spare = undefined;
    return spare;
  }

  /**
   * Keeps a connection to another host than `main` until `signal` is aborted; it can still be taken
   * afterwards.
   */
  async keep(main: ChannelModel, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        this.#spare ??= await this.#open(main, signal);
        if (await this.#ended(this.#spare, signal)) attempt = 0;
      } catch {
        // The publisher's own connection reports the cause.
      }
      await sleep(backOffMs(RECONNECT, Math.max(1, attempt), (1 + Math.random()) / 2), signal);
    }
  }

  close(): void {
    if (this.#spare !== undefined) this.#drop(this.#spare);
  }

  async #open(main: ChannelModel, signal: AbortSignal): Promise<Spare> {
    const { url, name, agreed, onChannel } = this.options;
    await unlessAborted(agreed(), signal);
    signal.throwIfAborted();
    const over = new AbortController();
    const giveUp = () => over.abort();
    signal.addEventListener('abort', giveUp, { once: true });
    const connection = await connectBroker(url, name, over.signal, main).finally(() =>
      signal.removeEventListener('abort', giveUp),
    );
    connection.on('error', () => undefined);
    try {
      const channel = await withDeadline(connection.createConfirmChannel(), ANSWER_MS);
      if (channel === undefined || signal.aborted) throw new Error('no channel was opened in time');
      channel.on('error', () => undefined);
      onChannel(channel);
      this.#stage = 'cold';
      return { connection, channel, over };
    } catch (error) {
      void end(connection, over);
      throw error;
    }
  }

  /** Resolves when it is over, with whether it had been of use, or when `signal` is aborted. */
  async #ended(spare: Spare, signal: AbortSignal): Promise<boolean> {
    const gone = new Promise<void>((resolve) => {
      for (const link of [spare.connection, spare.channel]) link.once('close', resolve);
    }).then(() => {
      if (this.#spare !== spare) return;
      if (this.#stage === 'warm') this.#lostMs = performance.now();
      this.#drop(spare);
    });
    await unlessAborted(gone, signal);
    return this.#stage === 'warm';
  }

  #drop(spare: Spare): void {
    this.#spare = undefined;
    leaveHost(spare.connection);
    void end(spare.connection, spare.over);
  }
}

async function answers(connection: ChannelModel): Promise<boolean> {
  const asked = connection.createChannel().then(async (channel) => {
    await channel.close();
    return true;
  });
  return (await withDeadline(asked, ANSWER_MS).catch(() => false)) ?? false;
}

async function end(connection: ChannelModel, over: AbortController): Promise<void> {
  await closeInTime(connection);
  over.abort();
}
