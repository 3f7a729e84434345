/**
 * Whether a link is full, judged by packet arrivals: on a full link the time of a packet is proportional to its bytes, and the
 * queue grows in leaps or shrinks again; on a link with room packets come in the camera's own rhythm, large or small. Pure.
 */
import type { Arrival } from './delay-meter';
import { median } from './median';

/**
 * `full`: the time of a packet depends on its size. `room`: it does not, so the times are wrong and the link
 * is not full. `unknown`: too few packets, or all of one size.
 */
export type Link = 'full' | 'room' | 'unknown';

const ENOUGH_PACKETS = 20;
/** Deviation of the sizes divided by their mean, times the root of their number: below this, they prove nothing. */
const VARIED = 1;
/**
 * Share of the packet times that is explained by packet sizes. On a link with room a large packet comes later and the next
 * is correspondingly closer, which cancels out.
 */
const FULL = 0.7;
const ROOM = 0.35;
/** In a camera's own rhythm, times between packets typically deviate from the median by this part at most. */
const REGULAR = 0.3;
/** A delay that grew by the share `LEAPT` of itself in this few steps has leapt, as no clock does. */
const LEAPS = 2;
const LEAPT = 0.5;
const ENOUGH_STEPS = 6;
/** Milliseconds by which a delay must fall at once, and in total, to show that a queue became shorter. */
const FALL_MS = 50;
const FALLEN_MS = 300;
const FALLEN = 0.3;

/** @param packets in the order they came */
export function linkEvidence(packets: readonly Arrival[]): Link {
  // Codec and slices decide whether a packet is complete on its arrival, or when the next one begins or ends.
  const taken = packets.slice(1, -1).map(({ bytes, arrivedMs }, i) => ({
    sizes: [packets[i]?.bytes ?? bytes, bytes, packets[i + 2]?.bytes ?? bytes],
    tookMs: arrivedMs - (packets[i]?.arrivedMs ?? arrivedMs),
  }));
  const sizes = packets.map(({ bytes }) => bytes);
  const meanBytes = mean(sizes);
  const deviation = Math.sqrt(mean(sizes.map((bytes) => (bytes - meanBytes) ** 2)));
  const times = taken.map(({ tookMs }) => tookMs);
  if (
    taken.length < ENOUGH_PACKETS ||
    mean(times) <= 0 ||
    deviation * Math.sqrt(sizes.length) < VARIED * meanBytes
  )
    return 'unknown';
  const perByte = leastSquares(
    taken.map((one) => one.sizes),
    times,
  );
  const explained = (sum(perByte) * meanBytes) / mean(times);
  if (explained >= FULL) return 'full';
  return explained <= ROOM && isRegular(times) ? 'room' : 'unknown';
}

/**
 * The same, judged by how the delay has grown.
 * @param delaysMs about one a second, since the delay began to grow
 */
export function growthEvidence(delaysMs: readonly number[]): Link {
  const steps = delaysMs.slice(1).map((delayMs, i) => delayMs - (delaysMs[i] ?? delayMs));
  const grownMs = (delaysMs.at(-1) ?? 0) - (delaysMs[0] ?? 0);
  if (steps.length < ENOUGH_STEPS || grownMs <= 0) return 'unknown';
  const largest = [...steps].sort((a, b) => b - a).slice(0, LEAPS);
  const fallenMs = -sum(steps.filter((step) => step <= -FALL_MS));
  const fell = fallenMs >= FALLEN_MS && fallenMs >= FALLEN * grownMs;
  return fell || sum(largest) >= LEAPT * grownMs ? 'full' : 'unknown';
}

function isRegular(times: readonly number[]): boolean {
  const typical = median(times);
  return median(times.map((time) => Math.abs(time - typical))) <= REGULAR * typical;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / Math.max(1, values.length);
}

/** Least-squares factors of the columns, with a free constant: solves the normal equations by elimination. */
function leastSquares(rows: readonly (readonly number[])[], values: readonly number[]): number[] {
  const width = rows[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_, i) => centred(rows.map((row) => row[i] ?? 0)));
  const product = (a: readonly number[], b: readonly number[]) =>
    sum(a.map((value, i) => value * (b[i] ?? 0)));
  const matrix = columns.map((one) => [...columns.map((other) => product(one, other)), product(one, values)]);
  for (const [i, pivot] of matrix.entries())
    for (const [j, row] of matrix.entries()) {
      const factor = i === j ? 0 : (row[i] ?? 0) / (pivot[i] || 1);
      for (let k = 0; k <= width; k++) row[k] = (row[k] ?? 0) - factor * (pivot[k] ?? 0);
    }
  return matrix.map((row, i) => (row[width] ?? 0) / (row[i] || 1));
}

function centred(values: readonly number[]): number[] {
  const middle = mean(values);
  return values.map((value) => value - middle);
}
