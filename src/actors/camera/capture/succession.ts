/** Keeps a feed open through edits: a new opening has shown a picture before the one it follows is ended, if the camera takes two viewers. */
import { performance } from 'node:perf_hooks';
import { unlessAborted, withDeadline } from '../../../clock/sleep';
import type { Feed } from './feed';
import type { Sample } from '../sampling/sample';

/** One opening of a feed. */
export interface Run {
  readonly feed: Feed;
  /** Settles when nothing of it is left; rejects with the reason unless it was ended from here. */
  readonly ended: Promise<void>;
  /** It is sampled no more from now on. */
  end(): void;
  /** Applies the present configuration of its feed. */
  takeSettings(): void;
}

export interface Predecessor {
  readonly run: Run;
  /** To be called when the new opening can be sampled in its place; with the first sample that it has taken. */
  readonly onReady: (sample?: Sample) => void;
}

export interface SuccessionOptions {
  readonly open: (feed: Feed, predecessor?: Predecessor) => Run;
  /** Pictures come: there is something to lose. */
  readonly isStreaming: () => boolean;
  /** A feed with the current settings. */
  readonly makeFeed: () => Feed;
  /** It is sampled from now on, that is from this sample on, or opened next. */
  readonly adopt: (feed: Feed, sample?: Sample) => void;
}

/** Milliseconds a new opening may take to show a picture; then the old one, which has outdated settings, ends nevertheless. */
const PATIENCE_MS = 20_000;

export class Succession {
  #wish = new AbortController();
  #run: Run | undefined;
  #isBusy = false;

  constructor(private readonly options: SuccessionOptions) {}

  /** Aborted once another opening is asked for. */
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
   * @throws the reason when it was not ended from here
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

  /** False when the run has ended. */
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

  /** A new opening that has replaced the previous one; undefined if it could not, or if yet another is requested. */
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
