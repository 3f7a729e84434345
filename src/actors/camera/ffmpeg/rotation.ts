/** How a picture is to be turned to be upright. Pure. */

export interface Rotation {
  /** Left and right are swapped before the turn. */
  readonly mirrored: boolean;
  /** Clockwise: 0, 90, 180 or 270. */
  readonly degrees: number;
}

export const UPRIGHT: Rotation = { mirrored: false, degrees: 0 };

export function isUpright({ mirrored, degrees }: Rotation): boolean {
  return !mirrored && degrees === 0;
}

/** @param degrees clockwise, of any size and sign; rounded to the nearest quarter turn */
export function rotated(degrees: number, mirrored = false): Rotation {
  const quarters = Number.isFinite(degrees) ? Math.round(degrees / 90) : 0;
  return { mirrored, degrees: (((quarters % 4) + 4) % 4) * 90 };
}
