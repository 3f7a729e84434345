/**
 * Distinguishes a camera that sees nothing, black or another single tone, from one with little to see: night,
 * fog or snow, which an encoder may reduce to one tone. Pure. Rates: docs/pictures.md.
 */
import type { Verdict } from '../../../contract/verdict';

/**
 * Share of the points ignored at either end: enough for a name and a clock on a black picture, not for street
 * lamps.
 */
const OUTLIERS = 0.005;
/** Levels between the darkest and the brightest point of a picture of one tone. */
const ONE_TONE_SPREAD = 1;
/**
 * Maximum, mean and spread of a black picture with noise; a sensor that sees something at night exceeds them.
 */
const BLACK_LEVEL = 16;
const BLACK_MEAN = 3;
const BLACK_SPREAD = 10;
/**
 * In video that wrongly claims full range, black is a tone from the first on, and white one up to the second.
 */
const LIMITED_BLACK = 14;
const LIMITED_WHITE = 237;
/** A single tone from here on is that of a sensor blinded by light. */
const SATURATED = 254;
/**
 * Spread of a faint scene at most, and the greatest distance of its middle from the tone an encoder makes of
 * it.
 */
const FAINT_SPREAD = 12;
const FAINT_REACH = 8;
/** For this many pictures after a faint scene, a single tone may be that scene. */
const FAINT_PICTURES = 30;

/** A scene may have been reduced to one tone. */
const IN_DOUBT: Verdict = { kind: 'healthy', confidence: 95 };

export class FlatnessJudge {
  /** Middle of the newest faint scene. */
  #faint = 0;
  /** Number of further pictures for which it is remembered. */
  #left = 0;

  /**
   * `healthy` for one tone that may well be a scene; undefined for a picture of something, even of bright
   * noise.
   */
  judge(grey: Buffer): Verdict | undefined {
    const [dark, bright] = extremes(grey);
    const spread = bright - dark;
    const isOneTone = spread <= ONE_TONE_SPREAD;
    const isNoise = bright <= BLACK_LEVEL && spread <= BLACK_SPREAD && meanOf(grey, bright) <= BLACK_MEAN;
    this.#left--;
    if (!isOneTone && !isNoise) {
      if (spread <= FAINT_SPREAD) this.#remember((dark + bright) / 2);
      return undefined;
    }
    // Also for two adjacent tones, except those of no light or of too much: a dead sensor yields a single
    // tone.
    if (isOneTone && (mayBeFaint(bright) || (spread > 0 && bright > BLACK_LEVEL && bright < SATURATED))) {
      this.#remember(bright);
      return IN_DOUBT;
    }
    if (isOneTone && this.#left >= 0 && Math.abs(bright - this.#faint) <= FAINT_REACH) return IN_DOUBT;
    if (bright <= BLACK_LEVEL) return { kind: 'black', confidence: 99, reason: 'one-tone' };
    return { kind: 'grey', confidence: 99, reason: 'one-tone' };
  }

  #remember(middle: number): void {
    this.#faint = middle;
    this.#left = FAINT_PICTURES;
  }
}

/** True for tones brighter than no light and darker than blinding light, at either end of the range. */
function mayBeFaint(level: number): boolean {
  const isDark = level > BLACK_MEAN && level < LIMITED_BLACK;
  return isDark || (level > LIMITED_WHITE && level < SATURATED);
}

/** Mean of the points that are not brighter than the level. */
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
