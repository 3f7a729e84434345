/** How many frames a session has the broker send, as what is at hand allows. */
import type { FrameQueue } from './frame-queue';

export interface Intake {
  /** Nothing can be worked on at all. */
  readonly isClosed: boolean;
  /** Frames are only tried, one at a time. */
  readonly isPaused: boolean;
  /** Frames wait or are at work that may have ended a process. */
  readonly hasSuspects: boolean;
  /** Frames that wait or are at work. */
  readonly atHand: number;
}

export interface SubscriptionOptions {
  readonly queue: Pick<FrameQueue, 'subscribe'>;
  /** Unsettled deliveries at most. */
  readonly window: number;
  readonly intake: () => Intake;
  /** Frames come, and are worked on; called often. */
  readonly onFlowing: () => void;
}

/**
 * A process that dies costs every frame it holds one of its deliveries, not only the one it died of. So a session begins
 * with a single frame and takes one after the other for as long as they are suspects; the whole window opens with the
 * first that is none.
 */
export class Subscription {
  /** The last number requested from the broker. */
  #asked = 0;
  #isCareful = true;
  #following: Promise<void> | undefined;

  constructor(private readonly options: SubscriptionOptions) {}

  /** The whole window is about to open: what comes first may wait for it. */
  get isWidening(): boolean {
    return this.#asked === 1 && this.#wanted() > 1;
  }

  delivered(isSuspect: boolean): void {
    if (isSuspect) this.#isCareful = true;
    else if (!this.options.intake().hasSuspects) this.#isCareful = false;
  }

  /** Resolves when the broker sends what is wanted. Throws a ConsumerError, `queue-missing` or `rabbitmq-...`. */
  async follow(): Promise<void> {
    // The wanted number may change between the last look at it and the end of the promise.
    do {
      this.#following ??= this.#change().finally(() => {
        this.#following = undefined;
      });
      await this.#following;
    } while (this.#wanted() !== this.#asked);
  }

  async #change(): Promise<void> {
    for (let wanted = this.#wanted(); wanted !== this.#asked; wanted = this.#wanted()) {
      this.#asked = wanted;
      await this.options.queue.subscribe(wanted);
      this.#tellFlowing();
    }
    this.#tellFlowing();
  }

  #tellFlowing(): void {
    const { isClosed, isPaused } = this.options.intake();
    if (this.#asked > 0 && !isClosed && !isPaused) this.options.onFlowing();
  }

  #wanted(): number {
    const { isClosed, isPaused, hasSuspects, atHand } = this.options.intake();
    if (isClosed) return 0;
    // A frame is needed to see whether the trouble is over.
    if (isPaused) return atHand === 0 || this.#asked === 1 ? 1 : 0;
    if (this.#isCareful) return hasSuspects && this.#asked !== 1 ? 0 : 1;
    const { window } = this.options;
    // The broker does not count what came by an earlier subscription.
    return this.#asked === window || atHand <= Math.max(1, window / 2) ? window : this.#asked;
  }
}
