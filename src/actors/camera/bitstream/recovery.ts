/** Where decoding of a stream can begin, and when what is decoded has become whole. Pure. */
import type { PictureFacts } from './picture-facts';

/**
 * How a picture lets decoding begin. `clean`: with itself. `gradual`: pictures become whole when this many others that are
 * referred to came behind it, or so much of the order count.
 */
export type Entry =
  | { readonly kind: 'clean' }
  | { readonly kind: 'gradual'; readonly over: number }
  | { readonly kind: 'none' };

export class Recovery {
  #state: PictureFacts['state'] = 'undecodable';
  /** Left to come until what was entered, or is refreshed, is whole; undefined when nothing is. */
  #left: number | undefined;

  /**
   * @param advance how far it is behind the picture before: references, or order counts, as the entry says
   * @param isWhole it needs no other itself
   */
  next(entry: Entry, advance: number, isWhole: boolean): Pick<PictureFacts, 'state' | 'renews'> {
    if (entry.kind === 'clean') {
      this.#state = 'whole';
      this.#left = undefined;
      return { state: 'whole', renews: true };
    }
    if (this.#left !== undefined) this.#left -= advance;
    const renews = this.#left !== undefined && this.#left <= 0;
    if (renews) {
      this.#state = 'whole';
      this.#left = undefined;
    }
    if (entry.kind === 'gradual') this.#left ??= entry.over;
    if (entry.kind === 'gradual' && this.#state === 'undecodable') this.#state = 'recovering';
    return { state: this.#state === 'recovering' && isWhole ? 'whole' : this.#state, renews };
  }
}
