/** Judges when the pictures of a row came, how many, and whether the times told are theirs. Pure. */
import type { Clip } from './clip';
import type { Picture } from './judge-pictures';
import { reorderFrames } from './recipe';
import { isPacedFeed, type Observation } from './row';

/** A picture is announced within so many milliseconds of its arrival, beside what reordering takes. */
export const LATE_MS = 150;
/** Of so many pictures one may be later. */
const ONE_LATE_OF = 10;
/** Of so many pictures one may have a time that is off: a packet that was read late. */
const ONE_OFF_OF = 5;
/** Of a picture's duration: beyond, the time is that of its neighbour. */
const TIME_TOLERANCE = 0.6;
const MIN_COVERAGE = 0.95;

/** But for one picture in ten, and the first, which waits for the programs to start. */
export function latest({ sent, row }: Observation, pictures: readonly Picture[]): number | undefined {
  const late = pictures.slice(1).flatMap(({ number, announcedAt, frame }) => {
    const from = isPacedFeed(row.feed)
      ? frame.capturedAt
      : number === undefined
        ? undefined
        : sent?.lastBefore(number, announcedAt);
    return from === undefined ? [] : [announcedAt - from];
  });
  return allBut(late, ONE_LATE_OF);
}

/** The greatest when the greatest of each begun `of` are left out. */
function allBut(values: readonly number[], of: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.at(-1 - Math.floor((values.length + of / 2) / of));
}

export function rateFault({ row, delivered, endedAt }: Observation, slack: number): string | undefined {
  const { everyMs } = row;
  const times = delivered.map(({ frame }) => frame.sequence);
  if (times.some((sequence, i) => i > 0 && sequence <= (times[i - 1] ?? 0))) return 'periods do not rise';
  const [first, last] = [delivered[0]?.frame.capturedAt ?? 0, delivered.at(-1)?.frame.capturedAt ?? 0];
  const behindMs = endedAt - last;
  if (behindMs > 2.5 * everyMs + 500 * slack) return `none in the last ${(behindMs / 1000).toFixed(1)} s`;
  const due = Math.round((last - first) / everyMs) + 1;
  if (delivered.length < due * MIN_COVERAGE - (slack - 1) / 2 || delivered.length > due + 1)
    return `${String(delivered.length)} pictures where ${String(due)} were due`;
  return undefined;
}

/**
 * Whether the picture is the one whose time is told. The capture time follows the arrival of that picture's last packet,
 * or the moment it is shown at; from picture to picture the distance to one of the two stays the same.
 */
export function timeFault(
  { sent, row }: Observation,
  pictures: readonly Picture[],
  clip: Clip,
  slack: number,
): string | undefined {
  const { recipe } = row;
  const frameMs = 1000 / recipe.fps;
  const clipMs = recipe.seconds * 1000;
  const known = pictures.flatMap(({ number, frame, announcedAt }) => {
    if (number === undefined) return [];
    const sentAt = isPacedFeed(row.feed) ? number * frameMs : sent?.lastBefore(number, announcedAt);
    return sentAt === undefined ? [] : [{ number, sentAt, offMs: frame.capturedAt - sentAt }];
  });
  if (known.length === 0) return 'no picture carries a number that was sent';
  if (isPacedFeed(row.feed))
    return spreadFault(
      known.map(({ offMs }) => offMs),
      frameMs,
      slack,
      clipMs,
    );
  const shown = shownDelays(clip, frameMs);
  const byArrival = spreadFault(
    known.map(({ offMs }) => offMs),
    frameMs,
    slack,
  );
  const byDisplay = spreadFault(
    known.map(({ offMs, number }) => offMs - (shown.get(number) ?? 0)),
    frameMs,
    slack,
  );
  if (byArrival !== undefined && byDisplay !== undefined) return byArrival;
  const median = middle(known.map(({ offMs }) => offMs));
  const earliest = -(reorderFrames(recipe) + 2) * frameMs;
  if (median < earliest - 30 * slack || median > LATE_MS * slack)
    return `${median.toFixed(0)} ms from the arrival of the picture`;
  return undefined;
}

/** @param modulus where times come again: a clip that begins anew */
function spreadFault(
  offMs: readonly number[],
  frameMs: number,
  slack: number,
  modulus?: number,
): string | undefined {
  const [base = 0] = offMs;
  const near = offMs.map((each) => {
    const off = each - base;
    return modulus === undefined ? off : off - modulus * Math.round(off / modulus);
  });
  const median = middle(near);
  const spread =
    allBut(
      near.map((each) => Math.abs(each - median)),
      ONE_OFF_OF,
    ) ?? 0;
  return spread > slack * TIME_TOLERANCE * frameMs
    ? `times and pictures are apart by up to ${(spread / frameMs).toFixed(1)} pictures`
    : undefined;
}

/** By number, milliseconds from a picture's place in the stream to its place in the display. */
function shownDelays({ units }: Clip, frameMs: number): ReadonlyMap<number, number> {
  return new Map(units.map(({ number, shownAt, sentAt }) => [number, (shownAt - sentAt) * frameMs]));
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
