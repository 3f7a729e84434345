/**
 * Distinguishes bad pictures from good ones by what costs next to nothing: a thumbnail out of the decoder's own filter graph,
 * checksums ffmpeg makes anyway, and its complaints. Pure. Only the limits of sameness were measured, on generated scenes;
 * those of black and grey and all confidences are judgement, not calibrated on real cameras. H.265 damage is mostly missed,
 * and with a backlog in the decoder a neighbour of the damaged picture may be marked torn: docs/capture/verdicts.md.
 */
import type { Verdict } from '../../../contract/verdict';

/** Points the decoder takes out of each picture, evenly and unfiltered, so that noise stays in them. */
export const THUMBNAIL = { width: 64, height: 36 } as const;

/** Measurements of a picture. */
export interface Evidence {
  /** Grey values, {@link THUMBNAIL} points; undefined when the picture was not decoded. */
  readonly thumbnail?: Buffer | undefined;
  /** Of the encoded bytes; the same for the same picture. */
  readonly fingerprint?: string | undefined;
  /** Confidence, 0 to 100, that it is damaged. */
  readonly damage?: number | undefined;
}

/** Part of the points at either end that is not looked at: a name and a clock over a black picture, but no street lamps. */
const OUTLIERS = 0.005;
/** Levels between the darkest and the brightest point of a flat picture, after the encoder's noise: judgement. */
const FLAT_LEVELS = 4;
/** No point of a black picture is brighter; a covered lens is taken to have noise up to here: judgement. */
const BLACK_LEVEL = 16;
const BLACK_SPREAD = 10;
/** A frozen picture that is encoded again differs by no more: mean of all points, and the most of any. */
const SAME_MEAN_LEVELS = 0.4;
const SAME_LEVELS = 12;
/** Keyframes in a row have different numbers in H.264, often 0 and 1 by turns: the one before the last counts too. */
const FINGERPRINTS = 2;

export class PictureJudge {
  #fingerprints: string[] = [];
  #reference: Buffer | undefined;
  #sameBytesSinceMs = 0;
  #sameLookSinceMs = 0;

  /** @param frozenMs how long the same picture is not a fault; 0: for ever */
  constructor(public frozenMs: number) {}

  /** @param steadyMs now on a clock that is never set */
  judge(evidence: Evidence, steadyMs: number): Verdict {
    const frozen = this.#frozen(evidence, steadyMs);
    const { damage, thumbnail } = evidence;
    if (damage !== undefined) return { kind: 'torn', confidence: damage };
    const flat = thumbnail === undefined ? undefined : flatness(thumbnail);
    return flat ?? frozen ?? { kind: 'healthy', confidence: thumbnail === undefined ? 50 : 90 };
  }

  #frozen({ thumbnail, fingerprint }: Evidence, steadyMs: number): Verdict | undefined {
    if (fingerprint === undefined || !this.#fingerprints.includes(fingerprint))
      this.#sameBytesSinceMs = steadyMs;
    if (fingerprint !== undefined)
      this.#fingerprints = [...this.#fingerprints, fingerprint].slice(-FINGERPRINTS);
    if (thumbnail === undefined || this.#reference === undefined || !looksSame(this.#reference, thumbnail)) {
      // Compared with the first of them, not with the last: dawn is not a frozen picture.
      this.#reference = thumbnail;
      this.#sameLookSinceMs = steadyMs;
    }
    if (this.frozenMs === 0) return undefined;
    if (steadyMs - this.#sameBytesSinceMs >= this.frozenMs) return { kind: 'frozen', confidence: 99 };
    return steadyMs - this.#sameLookSinceMs >= this.frozenMs ? { kind: 'frozen', confidence: 80 } : undefined;
  }
}

/** Black, or another single tone; undefined for a picture of something. */
function flatness(thumbnail: Buffer): Verdict | undefined {
  const [dark, bright] = extremes(thumbnail);
  const spread = bright - dark;
  if (bright <= BLACK_LEVEL && spread <= BLACK_SPREAD)
    return { kind: 'black', confidence: falling(spread, BLACK_SPREAD) };
  return spread <= FLAT_LEVELS ? { kind: 'grey', confidence: falling(spread, FLAT_LEVELS) } : undefined;
}

/** From 99 where there is no spread at all to 70 where there is as much as is taken: an order, not a probability. */
function falling(spread: number, most: number): number {
  return Math.round(99 - (29 * spread) / most);
}

/** The darkest and the brightest grey value without the outliers. */
function extremes(thumbnail: Buffer): [number, number] {
  const counts = new Uint32Array(256);
  for (const grey of thumbnail) counts[grey] = (counts[grey] ?? 0) + 1;
  const ignored = OUTLIERS * thumbnail.length;
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
