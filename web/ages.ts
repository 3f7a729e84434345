/** When a picture is too old to be shown as if it were the present. Pure. */

/** A feed may skip a frame or two, and a page may be late by a second. */
const FRAMES_LATE = 3;
const LEAST_MS = 5000;

/** @param wantedRate configured frames per second of the camera; 0 if it is disabled */
export function isOld(ageMs: number, wantedRate: number): boolean {
  return ageMs > Math.max(LEAST_MS, (FRAMES_LATE * 1000) / (wantedRate > 0 ? wantedRate : 1));
}
