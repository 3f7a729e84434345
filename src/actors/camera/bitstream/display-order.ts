/** The display order of pictures compared with their decoding order, by their picture order counts. Pure. */

/** Counts this far back are of a new series: 16 pictures, each of two fields, are reordered at most (H.264, A.3.1). */
const NEW_SERIES = 64;

export interface Place {
  /** Shown after all pictures that were decoded before it. */
  readonly inOrder: boolean;
  /** Decoded after a keyframe and shown before it: nothing shown after the keyframe needs it. */
  readonly leading: boolean;
}

export class DisplayOrder {
  #newest = -Infinity;
  #keyframe = -Infinity;

  /**
   * A keyframe is shown after all that came before it, whatever its count seems to be: if only keyframes are
   * received, the upper part is a guess.
   */
  place(count: number, key: boolean): Place {
    if (key) this.#keyframe = count;
    else if (count < this.#newest - NEW_SERIES) this.#keyframe = -Infinity;
    const inOrder = key || count > this.#newest || count < this.#newest - NEW_SERIES;
    this.#newest = inOrder ? count : this.#newest;
    return { inOrder, leading: count < this.#keyframe };
  }
}

/** Picture order counts whose upper part is not sent (H.264, 8.2.1.1; H.265, 8.3.1). */
export class OrderCounts {
  #reference = 0;

  /**
   * @param low what was sent: the lowest `bits` bits
   * @param isReference whether the next count is derived from its distance to this one
   */
  count(low: number, bits: number, isReference: boolean, restarts: boolean): number {
    const range = 2 ** bits;
    const before = restarts ? 0 : this.#reference;
    const beforeLow = ((before % range) + range) % range;
    const high = before - beforeLow;
    const step = low - beforeLow;
    const wrapped = step <= -range / 2 ? range : step > range / 2 ? -range : 0;
    const count = high + low + wrapped;
    if (isReference) this.#reference = count;
    return count;
  }
}
