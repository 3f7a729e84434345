/** How many frames a session requests from the broker, given those it already has. */
import type { FrameQueue } from './frame-queue';

export interface Intake {
  /** No frame can be handled at all. */
  readonly isClosed: boolean;
  /** Frames are tried one at a time. */
  readonly isPaused: boolean;
  /** Frames that may have killed a process are waiting or being handled. */
  readonly hasSuspects: boolean;
  /** Number of frames that are waiting or being handled. */
  readonly atHand: number;
}

export interface SubscriptionOptions {
  readonly queue: Pick<FrameQueue, 'subscribe'>;
  /** Maximum number of unsettled deliveries. */
  readonly window: number;
  readonly intake: () => Intake;
  /** Frames arrive and are handled; called often. */
  readonly onFlowing: () => void;
}

/**
 * When a process dies, every frame it holds loses one of its deliveries, not only the one that killed it. So
 * a session begins with a single frame and requests one after another while they are suspects; the whole
 * window opens with the first that is not.
 */
export class Subscription {
  /** The last number requested from the broker. */
  #asked = 0;
  #isCareful = true;
  #following: Promise<void> | undefined;

  constructor(private readonly options: SubscriptionOptions) {}

  /** The whole window is about to open: the first frame may wait for it. */
  get isWidening(): boolean {
    return this.#asked === 1 && this.#wanted() > 1;
  }

  delivered(isSuspect: boolean): void {
    if (isSuspect) this.#isCareful = true;
    else if (!this.options.intake().hasSuspects) this.#isCareful = false;
  }

  /** Resolves when the broker has the wanted number. Throws a ConsumerError, `queue-missing` or `rabbitmq-...`. */
  async follow(): Promise<void> {
    // The wanted number may change between the last check and the end of the promise.
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
    // One frame is needed to find out whether the trouble is over.
    if (isPaused) return atHand === 0 || this.#asked === 1 ? 1 : 0;
    if (this.#isCareful) return hasSuspects && this.#asked !== 1 ? 0 : 1;
    const { window } = this.options;
    // The broker does not count deliveries of earlier subscriptions.
    return this.#asked === window || atHand <= Math.max(1, window / 2) ? window : this.#asked;
  }
}
