/**
 * Detects missing pictures that others are predicted from, and missing parts of a picture, by the numbers in
 * slice headers. Pure.
 */

/** What a picture lacks, or that its data are damaged; the names are those of the verdict's reasons. */
export type Lacking = 'missing-reference' | 'missing-slice' | 'decode-error';

/** Result of checking all of a picture's data; `unchecked`: it was not checked, or the result is not trusted. */
export type Looked = Lacking | 'unchecked' | undefined;

export interface FrameNumber {
  /** No later picture needs what came before this one. */
  readonly begins: boolean;
  readonly isReference: boolean;
  readonly number: number;
  /** Numbers have this many bits. */
  readonly bits: number;
  /** Numbers are left out on purpose (H.264, 7.4.2.1.1: gaps_in_frame_num_value_allowed_flag). */
  readonly mayGap: boolean;
}

/** Frame numbers of H.264 count the pictures that others are predicted from (7.4.3, frame_num). */
export class FrameNumbers {
  /** Number of the newest picture that others are predicted from. */
  #last: number | undefined;

  /** True if a picture was lost between the previous one and this. */
  hasGap({ begins, isReference, number, bits, mayGap }: FrameNumber): boolean {
    const last = this.#last;
    if (isReference || begins) this.#last = number;
    if (begins || last === undefined || mayGap) return false;
    return number !== last && number !== (last + 1) % 2 ** bits;
  }
}

/** After this many consecutive pictures with the same slices, all must have them. An encoder that limits slices by their bytes divides each picture differently. */
const STEADY_PICTURES = 6;

/** Where in the picture its slices begin: most encoders divide each picture alike. */
export class SliceLayout {
  #layout: readonly number[] = [];
  #count = 0;

  /** True if slices are missing that all previous pictures had. @param starts number of each slice's first block */
  lacks(starts: readonly number[]): boolean {
    const isAlike = starts.length === this.#layout.length && starts.every((at, i) => at === this.#layout[i]);
    const isPart = starts.length < this.#layout.length && starts.every((at) => this.#layout.includes(at));
    if (isPart && this.#count >= STEADY_PICTURES) return true;
    this.#count = isAlike ? this.#count + 1 : 1;
    this.#layout = starts;
    return false;
  }
}
