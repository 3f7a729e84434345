/**
 * Keeps a feed open through edits: if the camera accepts two clients, the old opening ends after the new has
 * a picture.
 */
import { performance } from 'node:perf_hooks';
import { unlessAborted, withDeadline } from '../../../clock/sleep';
import type { Feed } from './feed';
import type { Sample } from '../sampling/sample';

/** One opening of a feed. */
export interface Run {
  readonly feed: Feed;
  /** Settles when all its resources are released; rejects with the reason unless {@link end} was called. */
  readonly ended: Promise<void>;
  /** Ends the opening, which takes no more samples from now on. */
  end(): void;
  /** Applies the current configuration of its feed. */
  takeSettings(): void;
}

export interface Predecessor {
  readonly run: Run;
  /** To be called when the new opening can replace the predecessor, with its first sample if there is one. */
  readonly onReady: (sample?: Sample) => void;
}

export interface SuccessionOptions {
  readonly open: (feed: Feed, predecessor?: Predecessor) => Run;
  /** True while pictures arrive, so that an interruption would cost some. */
  readonly isStreaming: () => boolean;
  /** A feed with the current settings. */
  readonly makeFeed: () => Feed;
  /** The feed is sampled from now on, beginning with this sample, or is opened next. */
  readonly adopt: (feed: Feed, sample?: Sample) => void;
}

/** Milliseconds a new opening may take to make a picture; then the old, outdated one ends anyway. */
const PATIENCE_MS = 20_000;

export class Succession {
  #wish = new AbortController();
  #run: Run | undefined;
  #isBusy = false;

  constructor(private readonly options: SuccessionOptions) {}

  /** Aborted once another opening is requested. */
  get wished(): AbortSignal {
    return this.#wish.signal;
  }

  /** The opening that is sampled. */
  get run(): Run | undefined {
    return this.#run;
  }

  /** A new opening is on its way. */
  get isBusy(): boolean {
    return this.#isBusy || this.wished.aborted;
  }

  /** Requests another opening, which replaces this one and any that has not finished. */
  renew(): void {
    this.#wish.abort();
  }

  /**
   * Keeps the feed open, with one opening after another. Returns when the feed must be reopened at once.
   * @throws the reason if the feed ended without being asked to
   */
  async stream(feed: Feed): Promise<void> {
    const { open, adopt, makeFeed } = this.options;
    if (this.#takeWish()) adopt((feed = makeFeed()));
    this.#run = open(feed);
    try {
      while (await this.#goesOn(this.#run));
    } finally {
      this.#run = undefined;
      this.#isBusy = false;
    }
  }

  /** Waits for the run to end or be replaced. Returns false when it has ended without a successor. */
  async #goesOn(run: Run): Promise<boolean> {
    const { isStreaming, makeFeed, adopt } = this.options;
    await unlessAborted(run.ended, this.wished);
    if (!this.#takeWish()) return false;
    const next = makeFeed();
    this.#isBusy = true;
    const follower = isStreaming() ? await this.#rehearse(next, run) : undefined;
    this.#isBusy = false;
    if (follower !== undefined) this.#run = follower;
    if (follower !== undefined || this.wished.aborted) return true;
    run.end();
    await run.ended.catch(() => undefined);
    adopt(next);
    return false;
  }

  /** A new opening that has replaced the run; undefined if it could not, or if yet another is requested. */
  async #rehearse(feed: Feed, run: Run): Promise<Run | undefined> {
    const { open, adopt } = this.options;
    const untilMs = performance.now() + PATIENCE_MS;
    for (;;) {
      let isAwaited = true;
      let become: () => void = () => undefined;
      const ready = new Promise<'ready'>((resolve) => {
        become = () => resolve('ready');
      });
      const onReady = (sample?: Sample) => {
        if (!isAwaited) return;
        run.end();
        adopt(feed, sample);
        become();
      };
      const follower = open(feed, { run, onReady });
      const failed = follower.ended.catch((error: unknown) => error);
      const over = Promise.race([ready, failed]);
      const outcome = await unlessAborted(withDeadline(over, untilMs - performance.now()), this.wished);
      if (outcome === 'ready') return follower;
      isAwaited = false;
      follower.end();
      await failed;
      if (this.wished.aborted || !feed.adaptation.learn(outcome)) return undefined;
    }
  }

  #takeWish(): boolean {
    const { aborted: was } = this.wished;
    if (was) this.#wish = new AbortController();
    return was;
  }
}
