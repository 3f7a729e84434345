/**
 * Distinguishes bad pictures from good ones at almost no cost: by a thumbnail from the decoder's own filter graph,
 * checksums ffmpeg computes anyway, the decoder's messages and the headers. Pure. Rates: docs/pictures.md.
 */
import type { Verdict } from '../../../contract/verdict';
import type { Damage } from './damage';
import { fillingIn } from './fillings';
import { FlatnessJudge } from './flatness';
import { greyOf } from './thumbnail';

/** Measurements of a picture. */
export interface Evidence {
  /** Three planes, as in thumbnail.ts; undefined if the picture was not decoded. */
  readonly thumbnail?: Buffer | undefined;
  /** Fingerprint of the encoded bytes; identical for identical pictures. */
  readonly fingerprint?: string | undefined;
  /** A sign that it is damaged. */
  readonly damage?: Damage | undefined;
  /**
   * Some data of this picture, or of those it depends on, were not checked for damage that decoders do not
   * report.
   */
  readonly isUnchecked?: boolean;
}

/** Encodings of a still scene differ by no more than these: mean of all points, and maximum of any point. */
const SAME_MEAN_LEVELS = 0.4;
const SAME_LEVELS = 12;
/**
 * Consecutive H.264 keyframes have different numbers, often alternately 0 and 1, so the last two are
 * compared.
 */
const FINGERPRINTS = 2;

/** Measured (docs/pictures.md), the second with damaged pictures none of which was examined. */
const HEALTHY: Verdict = { kind: 'healthy', confidence: 99 };
const UNCHECKED: Verdict = { kind: 'healthy', confidence: 94 };

export class PictureJudge {
  readonly #flatness = new FlatnessJudge();
  #fingerprints: string[] = [];
  /** Grey values of the first picture that looks like the newest, and of the newest. */
  #reference: Buffer | undefined;
  #newest: Buffer | undefined;
  #sameBytesSinceMs = 0;
  #sameLookSinceMs = 0;
  #unchangedSinceMs = 0;

  /** @param frozenMs how long the same picture may last without being a fault; 0: for ever */
  constructor(public frozenMs: number) {}

  /** @param steadyMs the current time on a clock that is never set */
  judge(evidence: Evidence, steadyMs: number): Verdict {
    const frozen = this.#frozen(evidence, steadyMs);
    const { damage, thumbnail } = evidence;
    if (damage !== undefined) return { kind: 'torn', ...damage };
    if (thumbnail === undefined) return frozen ?? { kind: 'healthy', confidence: 50 };
    const flat = this.#flatness.judge(greyOf(thumbnail));
    const filling = fillingIn(thumbnail);
    if (filling !== undefined) return { kind: 'torn', ...filling };
    if (flat?.kind !== 'healthy')
      return flat ?? frozen ?? (evidence.isUnchecked === true ? UNCHECKED : HEALTHY);
    // An encoder's output for an almost empty picture stays identical.
    return frozen === undefined ? flat : { kind: 'static', confidence: flat.confidence, reason: 'same-look' };
  }

  #frozen({ thumbnail, fingerprint }: Evidence, steadyMs: number): Verdict | undefined {
    if (fingerprint === undefined || !this.#fingerprints.includes(fingerprint))
      this.#sameBytesSinceMs = steadyMs;
    if (fingerprint !== undefined)
      this.#fingerprints = [...this.#fingerprints, fingerprint].slice(-FINGERPRINTS);
    const grey = thumbnail === undefined ? undefined : greyOf(thumbnail);
    if (grey === undefined || this.#reference === undefined || !looksSame(this.#reference, grey)) {
      // Compared with the first such picture, not with the last: dawn is not a frozen picture.
      this.#reference = grey;
      this.#sameLookSinceMs = steadyMs;
    }
    if (grey === undefined || this.#newest?.equals(grey) !== true) this.#unchangedSinceMs = steadyMs;
    this.#newest = grey;
    const isFor = (sinceMs: number) => this.frozenMs > 0 && steadyMs - sinceMs >= this.frozenMs;
    if (isFor(this.#sameBytesSinceMs)) return { kind: 'frozen', confidence: 99, reason: 'same-bytes' };
    if (isFor(this.#unchangedSinceMs)) return { kind: 'frozen', confidence: 90, reason: 'same-look' };
    return isFor(this.#sameLookSinceMs) ? { kind: 'static', confidence: 99, reason: 'same-look' } : undefined;
  }
}

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
