/**
 * Publishes to queues that others bind to the exchange. They get every message that the broker accepts, and
 * whatever their state (full, refusing, without a leader), they do not hold up the frames of the detection queue.
 */
import { withDeadline } from '../../clock/sleep';
import type { FaultRecord } from '../../fault/fault';
import type { OutgoingMessage } from './outgoing-message';
import { Publisher, type PublisherOptions } from './publisher';

/** A confirm takes milliseconds, a distant one some hundred. Slower queues are not awaited. */
const WAIT_MS = 900;
/** A connection that was lost is back by then, if the broker is. */
const GRACE_MS = 5000;

export interface OthersOptions extends Pick<PublisherOptions, 'url' | 'name' | 'prepare'> {
  /** Milliseconds, a clock that is never set. */
  readonly now: () => number;
  /** Messages can be published; what waited may be tried again. */
  readonly onReady: () => void;
  /** Confirms are no longer awaited, so that queues may miss messages. */
  readonly onMissed: (fault: FaultRecord) => void;
  /** A queue of another user refuses a message. */
  readonly onRejected: () => void;
  readonly onConfirmed: () => void;
}

export class Others {
  readonly #publisher: Publisher;
  /** Since when confirms are overdue; `-Infinity` if that is certain to last. */
  #failingSinceMs: number | undefined;

  constructor(private readonly options: OthersOptions) {
    const { url, name, prepare, onReady, onRejected } = options;
    this.#publisher = new Publisher({
      url,
      name,
      prepare,
      onUnroutable: () => undefined,
      onRejected,
      onReadiness: (fault) => {
        if (fault === undefined) onReady();
        else this.#failed(fault);
      },
    });
  }

  /** The broker is back: confirms are awaited again. */
  renew(): void {
    if (this.#failingSinceMs !== undefined) this.#failingSinceMs = this.options.now();
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#publisher.run(signal);
  }

  /** Resolves when the broker has answered for the queues of others, with the fault when it could not. Never rejects. */
  async publish(publication: OutgoingMessage): Promise<FaultRecord | undefined> {
    const fault = await this.#publisher.publish(publication);
    if (fault === undefined) {
      this.#failingSinceMs = undefined;
      this.options.onConfirmed();
    } else this.#failed(fault);
    return fault;
  }

  /** Publishes a message that may be dropped for these queues: a fault means that it is worth offering again. */
  async offer(publication: OutgoingMessage): Promise<FaultRecord | undefined> {
    const answer = this.publish(publication).then((fault) => ({ fault }));
    if (!this.#isWaitedFor()) return undefined;
    const answered = await withDeadline(answer, WAIT_MS);
    if (answered === undefined) {
      const message = `no confirm within ${WAIT_MS} ms; a queue bound to the exchange may be failing`;
      this.#giveUp({ code: 'broker-silent', message });
      return undefined;
    }
    return this.#isWaitedFor() ? answered.fault : undefined;
  }

  #isWaitedFor(): boolean {
    return this.#failingSinceMs === undefined || this.options.now() - this.#failingSinceMs < GRACE_MS;
  }

  #failed(fault: FaultRecord): void {
    if (fault.code === 'stopped') return;
    if (fault.code === 'broker-denied') this.#giveUp(fault);
    this.#failingSinceMs ??= this.options.now();
    if (!this.#isWaitedFor()) this.options.onMissed(fault);
  }

  #giveUp(fault: FaultRecord): void {
    this.#failingSinceMs = -Infinity;
    this.options.onMissed(fault);
  }
}
