/**
 * Finds in a thumbnail what decoders show in place of what they could not decode: rows of one tone, and
 * colours that no camera can have sent. Pure. Limits: docs/pictures.md.
 */
import type { Damage } from './damage';
import { POINTS, THUMBNAIL } from './thumbnail';

/** Most levels between minimum and maximum in a row that was filled; a row from a lens has noise. */
const FILLED_SPREAD = 2;
/** Consecutive rows needed, and the same for a less significant colour. */
const TELLING_ROWS = 3;
const COLOURED_ROWS = 6;
/**
 * U and V in full range. Concealment begins with the middle of all planes; fresh memory is zeros, which are
 * green.
 */
const MIDDLE = 128;
const MIDDLE_REACH = 4;
/** A colour this far from grey, in U or V, fills no part of a sound picture exactly. */
const COLOURED = 40;
/**
 * Levels by which red, green or blue is above 255 or below 0: more than an edge between two colours causes.
 */
const IMPOSSIBLE_LEVELS = 50;

/** Part of a picture's points with impossible colours; a test card's edges have 0.02. */
const IMPOSSIBLE_PART = 0.06;

/** Measured for both kinds (docs/pictures.md). */
const CONFIDENCE = 99;

const { width, height } = THUMBNAIL;

/** What a decoder shows in place of what it could not decode; undefined if there is no sign of it. */
export function fillingIn(thumbnail: Buffer): Damage | undefined {
  const rows = filledRows(thumbnail);
  // A picture that has one tone throughout was sent like that.
  if (rows > 0 && rows < height) return { reason: 'flat-rows', confidence: CONFIDENCE };
  return impossibleColours(thumbnail) > IMPOSSIBLE_PART
    ? { reason: 'impossible-colours', confidence: CONFIDENCE }
    : undefined;
}

/** Rows of the thumbnail that a decoder has filled; 0 if there are too few to be certain. */
function filledRows(thumbnail: Buffer): number {
  let most = 0;
  let [run, isTelling] = [0, true];
  for (let row = 0; row < height; row++) {
    const tone = toneOf(thumbnail, row);
    if (tone === undefined) run = 0;
    else {
      isTelling = run === 0 ? tone === 'telling' : isTelling && tone === 'telling';
      run++;
      if (run >= (isTelling ? TELLING_ROWS : COLOURED_ROWS)) most = Math.max(most, run);
    }
  }
  return most;
}

/** Part of the points, 0 to 1, whose colour no camera can have sent. */
function impossibleColours(thumbnail: Buffer): number {
  let count = 0;
  for (let i = 0; i < POINTS; i++) {
    const y = thumbnail[i] ?? 0;
    const u = (thumbnail[POINTS + i] ?? MIDDLE) - MIDDLE;
    const v = (thumbnail[2 * POINTS + i] ?? MIDDLE) - MIDDLE;
    const [red, green, blue] = [y + 1.402 * v, y - 0.344 * u - 0.714 * v, y + 1.772 * u];
    const least = Math.min(red, green, blue);
    const most = Math.max(red, green, blue);
    if (least < -IMPOSSIBLE_LEVELS || most > 255 + IMPOSSIBLE_LEVELS) count++;
  }
  return count / POINTS;
}

/** For a row of one exact tone, whether a decoder is certain to have filled it; undefined for any other row. */
function toneOf(thumbnail: Buffer, row: number): 'telling' | 'coloured' | undefined {
  const [y, u, v] = [0, 1, 2].map((plane) => levelOf(thumbnail, plane * POINTS + row * width));
  if (y === undefined || u === undefined || v === undefined) return undefined;
  const [offU, offV] = [Math.abs(u - MIDDLE), Math.abs(v - MIDDLE)];
  if (Math.max(offU, offV, Math.abs(y - MIDDLE)) <= MIDDLE_REACH) return 'telling';
  if (u <= MIDDLE_REACH && v <= MIDDLE_REACH) return 'telling';
  return Math.max(offU, offV) >= COLOURED ? 'coloured' : undefined;
}

/** The level of a uniform row in a plane; undefined if the row varies. */
function levelOf(thumbnail: Buffer, from: number): number | undefined {
  let [least, most] = [255, 0];
  for (let i = from; i < from + width; i++) {
    const level = thumbnail[i] ?? 0;
    if (level < least) least = level;
    if (level > most) most = level;
    if (most - least > FILLED_SPREAD) return undefined;
  }
  return (least + most) / 2;
}
