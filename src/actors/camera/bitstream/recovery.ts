/** Where decoding of a stream can begin, and when the decoded pictures are whole. Pure. */
import type { PictureFacts } from './picture-facts';

/**
 * How decoding can begin at a picture. `clean`: with the picture itself. `gradual`: pictures become whole after `over` further
 * reference pictures, or after that many order counts.
 */
export type Entry =
  | { readonly kind: 'clean' }
  | { readonly kind: 'gradual'; readonly over: number }
  | { readonly kind: 'none' };

export class Recovery {
  #state: PictureFacts['state'] = 'undecodable';
  /** Remaining until the current entry or refresh is whole; undefined if there is none. */
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
