/** How a picture is to be turned to be upright. Pure. */

export interface Turn {
  /** Left and right are swapped, before it is turned. */
  readonly mirrored: boolean;
  /** Clockwise: 0, 90, 180 or 270. */
  readonly degrees: number;
}

export const UPRIGHT: Turn = { mirrored: false, degrees: 0 };

export function isUpright({ mirrored, degrees }: Turn): boolean {
  return !mirrored && degrees === 0;
}

/** @param degrees clockwise, of any size and sign: the nearest quarter is taken */
export function turned(degrees: number, mirrored = false): Turn {
  const quarters = Number.isFinite(degrees) ? Math.round(degrees / 90) : 0;
  return { mirrored, degrees: (((quarters % 4) + 4) % 4) * 90 };
}
