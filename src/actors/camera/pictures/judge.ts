/**
 * Distinguishes bad pictures from good ones by what costs next to nothing: a thumbnail out of the decoder's own filter graph,
 * checksums ffmpeg makes anyway, and what the decoder and the headers say. Pure. Rates: docs/pictures.md.
 */
import type { Verdict } from '../../../contract/verdict';
import type { Damage } from './damage';
import { filledRows, impossibleColours } from './fillings';
import { greyOf, THUMBNAIL } from './thumbnail';

/** Measurements of a picture. */
export interface Evidence {
  /** Three planes, as thumbnail.ts says; undefined when the picture was not decoded. */
  readonly thumbnail?: Buffer | undefined;
  /** Of the encoded bytes; the same for the same picture. */
  readonly fingerprint?: string | undefined;
  /** A sign that it is damaged. */
  readonly damage?: Damage | undefined;
}

/** Part of the points at either end that is not looked at: a name and a clock over a black picture, but no street lamps. */
const OUTLIERS = 0.005;
/** Levels between the darkest and the brightest point of a picture of one tone: a lens that sees anything makes more. */
const ONE_TONE_SPREAD = 1;
/** No point of a black picture is brighter, nor is its mean above the second: a sensor that sees something at night has more. */
const BLACK_LEVEL = 16;
const BLACK_MEAN = 3;
const BLACK_SPREAD = 10;
/** Part of a picture's points with impossible colours; a test card's edges have 0.02. */
const IMPOSSIBLE_PART = 0.06;
/** A still scene, encoded again and again, differs by no more: mean of all points, and the most of any. */
const SAME_MEAN_LEVELS = 0.4;
const SAME_LEVELS = 12;
/** Keyframes in a row have different numbers in H.264, often 0 and 1 by turns: the one before the last counts too. */
const FINGERPRINTS = 2;

export class PictureJudge {
  #fingerprints: string[] = [];
  /** Grey values of the first picture that looks like the newest, and of the newest. */
  #reference: Buffer | undefined;
  #newest: Buffer | undefined;
  #sameBytesSinceMs = 0;
  #sameLookSinceMs = 0;
  #unchangedSinceMs = 0;

  /** @param frozenMs how long the same picture is not a fault; 0: for ever */
  constructor(public frozenMs: number) {}

  /** @param steadyMs now on a clock that is never set */
  judge(evidence: Evidence, steadyMs: number): Verdict {
    const frozen = this.#frozen(evidence, steadyMs);
    const { damage, thumbnail } = evidence;
    if (damage !== undefined) return { kind: 'torn', ...damage };
    if (thumbnail === undefined) return frozen ?? { kind: 'healthy', confidence: 50 };
    return filling(thumbnail) ?? flatness(greyOf(thumbnail)) ?? frozen ?? { kind: 'healthy', confidence: 96 };
  }

  #frozen({ thumbnail, fingerprint }: Evidence, steadyMs: number): Verdict | undefined {
    if (fingerprint === undefined || !this.#fingerprints.includes(fingerprint))
      this.#sameBytesSinceMs = steadyMs;
    if (fingerprint !== undefined)
      this.#fingerprints = [...this.#fingerprints, fingerprint].slice(-FINGERPRINTS);
    const grey = thumbnail === undefined ? undefined : greyOf(thumbnail);
    if (grey === undefined || this.#reference === undefined || !looksSame(this.#reference, grey)) {
      // Compared with the first of them, not with the last: dawn is not a frozen picture.
      this.#reference = grey;
      this.#sameLookSinceMs = steadyMs;
    }
    if (grey === undefined || this.#newest?.equals(grey) !== true) this.#unchangedSinceMs = steadyMs;
    this.#newest = grey;
    const isFor = (sinceMs: number) => this.frozenMs > 0 && steadyMs - sinceMs >= this.frozenMs;
    if (isFor(this.#sameBytesSinceMs)) return { kind: 'frozen', confidence: 99, reason: 'same-bytes' };
    if (isFor(this.#unchangedSinceMs)) return { kind: 'frozen', confidence: 90, reason: 'same-look' };
    return isFor(this.#sameLookSinceMs) ? { kind: 'static', confidence: 80, reason: 'same-look' } : undefined;
  }
}

/** What a decoder shows in the place of what it could not decode. */
function filling(thumbnail: Buffer): Verdict | undefined {
  const rows = filledRows(thumbnail);
  // A picture that is of one tone as a whole was sent like that.
  if (rows > 0 && rows < THUMBNAIL.height) return { kind: 'torn', confidence: 97, reason: 'flat-rows' };
  return impossibleColours(thumbnail) > IMPOSSIBLE_PART
    ? { kind: 'torn', confidence: 95, reason: 'impossible-colours' }
    : undefined;
}

/** Black, or another single tone; undefined for a picture of something, if it were only a sensor's noise. */
function flatness(grey: Buffer): Verdict | undefined {
  const [dark, bright] = extremes(grey);
  const spread = bright - dark;
  const isOneTone = spread <= ONE_TONE_SPREAD;
  if (bright <= BLACK_LEVEL && spread <= BLACK_SPREAD && (isOneTone || meanOf(grey, bright) <= BLACK_MEAN))
    return { kind: 'black', confidence: isOneTone ? 99 : 90, reason: 'one-tone' };
  return isOneTone ? { kind: 'grey', confidence: spread === 0 ? 99 : 95, reason: 'one-tone' } : undefined;
}

/** Of the points that are no brighter than the level. */
function meanOf(grey: Buffer, bright: number): number {
  const points = grey.filter((level) => level <= bright);
  return points.reduce((sum, level) => sum + level, 0) / points.length;
}

/** The darkest and the brightest grey value without the outliers. */
function extremes(levels: Buffer): [number, number] {
  const counts = new Uint32Array(256);
  for (const grey of levels) counts[grey] = (counts[grey] ?? 0) + 1;
  const ignored = OUTLIERS * levels.length;
  const reach = (order: readonly number[]) => {
    let seen = 0;
    return order.find((grey) => (seen += counts[grey] ?? 0) > ignored) ?? 0;
  };
  return [reach(RISING), reach(FALLING)];
}

const RISING: readonly number[] = Array.from({ length: 256 }, (_, grey) => grey);
const FALLING: readonly number[] = RISING.toReversed();

function looksSame(one: Buffer, other: Buffer): boolean {
  if (one.length !== other.length) return false;
  let sum = 0;
  for (let i = 0; i < one.length; i++) {
    const difference = Math.abs((one[i] ?? 0) - (other[i] ?? 0));
    if (difference > SAME_LEVELS) return false;
    sum += difference;
  }
  return sum <= SAME_MEAN_LEVELS * one.length;
}
