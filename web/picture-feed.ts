/** The newest picture of one camera: which address to load, one at a time, and no more often than can be drawn. Pure but for its timer. */

export interface PictureView {
  /** What the image element loads; undefined where there is nothing to load. */
  readonly src?: string;
  /** When the picture that is shown was captured, by the server's clock; undefined while none is shown. */
  readonly capturedAt?: number;
  /** Why there is none, in the server's words; empty where it has none. */
  readonly why?: string;
}

export interface PictureFeedOptions {
  readonly address: (capturedAt: number) => string;
  /** Milliseconds between two pictures. */
  readonly paceMs: () => number;
  readonly onChange: () => void;
  readonly now?: () => number;
}

export class PictureFeed {
  #view: PictureView = {};
  #isShown = false;
  #newest?: number;
  #asked: { readonly capturedAt: number; readonly at: number } | undefined;
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
    if (isShown === this.#isShown) return;
    this.#isShown = isShown;
    this.#isBusy = false;
    this.#asked = undefined;
    clearTimeout(this.#timer);
    if (isShown) this.#step();
    else this.#set({});
  }

  announced(capturedAt: number | undefined): void {
    if (capturedAt === undefined || capturedAt <= (this.#newest ?? 0)) return;
    this.#newest = capturedAt;
    this.#step();
  }

  loaded(): void {
    if (this.#asked === undefined) return;
    this.#isBusy = false;
    this.#set({ ...this.#view, capturedAt: this.#asked.capturedAt });
    this.#step();
  }

  failed(why: string): void {
    if (this.#asked === undefined) return;
    this.#isBusy = false;
    this.#set({ why });
    this.#step();
  }

  #step(): void {
    if (!this.#isShown || this.#isBusy || this.#newest === undefined) return;
    if (this.#newest <= (this.#asked?.capturedAt ?? 0)) return;
    clearTimeout(this.#timer);
    const waitMs = (this.#asked?.at ?? 0) + this.options.paceMs() - this.#now();
    if (waitMs > 0) {
      this.#timer = setTimeout(() => this.#step(), waitMs);
      return;
    }
    this.#isBusy = true;
    this.#asked = { capturedAt: this.#newest, at: this.#now() };
    const { capturedAt } = this.#view;
    const src = this.options.address(this.#newest);
    this.#set(capturedAt === undefined ? { src } : { src, capturedAt });
  }

  #set(view: PictureView): void {
    this.#view = view;
    this.options.onChange();
  }
}
