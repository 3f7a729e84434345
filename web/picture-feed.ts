/** The newest picture of one camera: loaded when there is a newer one, one at a time, no more often than can be drawn. Pure but for its timer. */

/** The result of a load: a picture, or why there is none. */
export type Loaded = { readonly src: string; readonly capturedAt: number } | { readonly why: string };

export interface PictureView {
  /** What the image element shows. */
  readonly src?: string;
  /** When that was captured, by the server's clock. */
  readonly capturedAt?: number;
  /** Why there is none, as the server reports it. */
  readonly why?: string;
}

export interface PictureFeedOptions {
  /** @returns undefined if there was no answer: the picture stays, and ages */
  readonly load: (signal: AbortSignal) => Promise<Loaded | undefined>;
  /** A picture that is not shown any more. */
  readonly release: (src: string) => void;
  /** Milliseconds between the beginnings of two loads. */
  readonly paceMs: () => number;
  readonly onChange: () => void;
  readonly now?: () => number;
}

export class PictureFeed {
  #view: PictureView = {};
  /** While it is in view. */
  #shown: AbortController | undefined;
  #newest = 0;
  /** Capture time of the newest picture available at the last load. */
  #asked = 0;
  #askedAt = -Infinity;
  #isBusy = false;
  #timer?: ReturnType<typeof setTimeout>;
  readonly #now: () => number;

  constructor(private readonly options: PictureFeedOptions) {
    this.#now = options.now ?? Date.now;
  }

  get view(): PictureView {
    return this.#view;
  }

  /** Out of view, nothing is loaded and nothing is kept. */
  show(isShown: boolean): void {
    if (isShown === (this.#shown !== undefined)) return;
    clearTimeout(this.#timer);
    this.#shown?.abort();
    this.#shown = isShown ? new AbortController() : undefined;
    this.#isBusy = false;
    this.#asked = 0;
    if (isShown) this.#step();
    else this.#set({});
  }

  announced(capturedAt: number | undefined): void {
    if (capturedAt === undefined || capturedAt <= this.#newest) return;
    this.#newest = capturedAt;
    this.#step();
  }

  #step(): void {
    if (this.#shown === undefined || this.#isBusy || this.#newest <= this.#asked) return;
    clearTimeout(this.#timer);
    const waitMs = this.#askedAt + this.options.paceMs() - this.#now();
    if (waitMs > 0) this.#timer = setTimeout(() => this.#step(), waitMs);
    else void this.#load(this.#shown.signal);
  }

  async #load(signal: AbortSignal): Promise<void> {
    this.#isBusy = true;
    this.#asked = this.#newest;
    this.#askedAt = this.#now();
    const loaded = await this.options.load(signal);
    if (signal.aborted) {
      if (loaded !== undefined && 'src' in loaded) this.options.release(loaded.src);
      return;
    }
    this.#isBusy = false;
    if (loaded !== undefined) this.#set(loaded);
    this.#step();
  }

  #set(view: PictureView): void {
    const { src } = this.#view;
    this.#view = view;
    this.options.onChange();
    if (src !== undefined) this.options.release(src);
  }
}
