/** Checks, within a time limit, that all slices of an H.265 picture are present and that each ends where its data end. */
import type { H265Picture, H265Sequence } from './h265-parameters';
import { SliceWalk } from './h265-slice-walk';
import type { Lacking, Looked } from './lost-parts';
import { nalUnits, type NalUnit } from './nal';

/** Parameter sets of a slice; undefined if they were not sent. */
export type SetsOf = (
  nal: NalUnit,
) => { readonly picture: H265Picture; readonly sequence: H265Sequence } | undefined;

/** Bytes of slices, on average, for each picture that came: a kilobyte takes up to 0.31 ms of processor (docs/pictures.md), a picture less than 1. */
const MEAN_BYTES = 3000;
/** Bytes that may be checked without a pause. */
export const MOST_BYTES = 1_000_000;
/** A larger picture would delay everything else for too long. */
export const MAX_PICTURE_BYTES = 200_000;
/** Profiles from this one on may use tools that are not known here (A.3.5). */
const FIRST_EXTENDED_PROFILE = 4;
/** A profile without such tools starts with this many slices counted as having ended correctly. */
const CREDIT = 9;
/** For this many slices that ended correctly, one may end wrongly. */
const RIGHT_FOR_WRONG = 3;
/** Older slices than the last few hundred count half. */
const REMEMBERED = 400;

export class SliceCheck {
  readonly #walk = new SliceWalk();
  #bytes = MOST_BYTES;
  #right = 0;
  #wrong = 0;

  /** To be called for each picture received. */
  count(): void {
    this.#bytes = Math.min(MOST_BYTES, this.#bytes + MEAN_BYTES);
  }

  /** What a picture lacks; undefined if nothing was found. */
  lacks(unit: Buffer, setsOf: SetsOf): Looked {
    if (unit.length > Math.min(this.#bytes, MAX_PICTURE_BYTES)) return 'unchecked';
    this.#bytes -= unit.length;
    this.#walk.begin();
    let end = 0;
    let sequence: H265Sequence | undefined;
    let lacking: Lacking | undefined;
    for (const nal of nalUnits(unit)) {
      const type = sliceType(nal);
      if (type === undefined) continue;
      const sets = setsOf(nal);
      if (sets?.sequence.tools === undefined || sets.picture.tools === undefined) return 'unchecked';
      sequence = sets.sequence;
      const tools = { tools: sets.sequence.tools, pictureTools: sets.picture.tools };
      const part = this.#walk.walk(nal, type, { ...sets, ...tools });
      if (part === undefined) this.#wrong++;
      else this.#right++;
      lacking ??= part === undefined ? 'decode-error' : part.from === end ? undefined : 'missing-slice';
      end = part?.to ?? end;
    }
    if (sequence === undefined) return 'unchecked';
    if (end !== this.#walk.trees) lacking ??= 'missing-slice';
    return this.#isTrusted(sequence) ? lacking : 'unchecked';
  }

  /** If nearly every slice seems to end wrongly, they use coding tools that are unknown here. */
  #isTrusted({ profile }: H265Sequence): boolean {
    if (this.#right + this.#wrong > REMEMBERED) {
      this.#right /= 2;
      this.#wrong /= 2;
    }
    const right = this.#right + (profile < FIRST_EXTENDED_PROFILE ? CREDIT : 0);
    return right >= CREDIT && right >= RIGHT_FOR_WRONG * this.#wrong;
  }
}

/** NAL unit type of a slice of the base layer; undefined for any other unit (table 7-1). */
function sliceType(nal: NalUnit): number | undefined {
  const type = ((nal[0] ?? 0) >> 1) & 63;
  const layer = (((nal[0] ?? 0) & 1) << 5) | ((nal[1] ?? 0) >> 3);
  return layer === 0 && (type <= 9 || (type >= 16 && type <= 21)) ? type : undefined;
}
