/** Judges when the pictures of a row came, how many, and whether the stated times are theirs. Pure. */
import type { Clip } from './clip';
import type { Picture } from './judge-pictures';
import { reorderFrames } from './recipe';
import { isPacedFeed, type Observation } from './row';

/** A picture is announced within this many milliseconds of its arrival, beside what reordering takes. */
export const LATE_MS = 150;
/** One of this many pictures may be later. */
const ONE_LATE_OF = 10;
/** One of this many pictures may have a wrong time, because a packet was read late. */
const ONE_OFF_OF = 5;
/** Share of a picture's duration: beyond it, the time is that of its neighbour. */
const TIME_TOLERANCE = 0.6;
/** Packets are read this many milliseconds late on any machine. */
const LEAST_TOLERANCE_MS = 20;
/** A capture time may be so much before the arrival, milliseconds, beside what reordering explains. */
const EARLY_MS = 30;
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
    return `${delivered.length} pictures where ${due} were due`;
  return undefined;
}

/**
 * Whether the picture is the one whose time is stated. The capture time follows the arrival of that picture's last packet,
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
  const known = pictures.flatMap(({ number, frame, announcedAt }) => {
    if (number === undefined) return [];
    const sentAt = isPacedFeed(row.feed) ? number * frameMs : sent?.lastBefore(number, announcedAt);
    return sentAt === undefined ? [] : [{ number, offMs: frame.capturedAt - sentAt }];
  });
  if (known.length === 0) return 'no picture carries a number that was sent';
  const offMs = known.map((each) => each.offMs);
  // A camera's clock, once reported, moves capture times little by little.
  const clockMs = Math.max(...pictures.map(({ frame }) => Math.abs(frame.clockSkewMs ?? 0)));
  const toleranceMs = slack * Math.max(LEAST_TOLERANCE_MS, TIME_TOLERANCE * frameMs) + clockMs;
  const told = (spread: number) =>
    `times and pictures are apart by up to ${(spread / frameMs).toFixed(1)} pictures`;
  const shown = shownDelays(clip, frameMs);
  if (isPacedFeed(row.feed)) {
    // Its packets come by the times at which they are decoded, or are due by those at which they are shown.
    const ways = [0, 1].map((part) => {
      const ofTurns = turns(known).map((turn) => {
        const times = turn.map(({ number, offMs }) => ({
          atMs: number * frameMs,
          offMs: offMs + part * (shown.get(number) ?? 0),
        }));
        return spreadMs(row.feed.startsWith('hls') ? withoutPace(times) : times.map((each) => each.offMs));
      });
      return Math.max(...ofTurns);
    });
    const spread = Math.min(...ways);
    return spread > toleranceMs ? told(spread) : undefined;
  }
  const byArrival = spreadMs(offMs);
  const byDisplay = spreadMs(known.map(({ offMs, number }) => offMs - (shown.get(number) ?? 0)));
  if (Math.min(byArrival, byDisplay) > toleranceMs) return told(byArrival);
  const median = middle(offMs);
  const earliest = -(reorderFrames(recipe) + 2) * frameMs - slack * EARLY_MS - clockMs;
  if (median < earliest || median > LATE_MS * slack + clockMs)
    return `${median.toFixed(0)} ms from the arrival of the picture`;
  return undefined;
}

/** HLS is given by up to this part faster or slower than it was made, to keep a reserve (docs/capture/feeds.md): that is taken off. */
const HLS_PACE = 0.03;

function withoutPace(times: readonly { readonly atMs: number; readonly offMs: number }[]): number[] {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const [atMean, offMean] = [mean(times.map(({ atMs }) => atMs)), mean(times.map(({ offMs }) => offMs))];
  const squares = times.reduce((sum, { atMs }) => sum + (atMs - atMean) ** 2, 0);
  const products = times.reduce((sum, { atMs, offMs }) => sum + (atMs - atMean) * (offMs - offMean), 0);
  const pace = squares === 0 ? 0 : Math.min(HLS_PACE, Math.max(-HLS_PACE, products / squares));
  return times.map(({ atMs, offMs }) => offMs - pace * (atMs - atMean));
}

/** How far from their middle most of them are at most. */
function spreadMs(offMs: readonly number[]): number {
  const median = middle(offMs);
  const apart = offMs.map((each) => Math.abs(each - median));
  return allBut(apart, ONE_OFF_OF) ?? 0;
}

/** Cut where the clip starts again: its pace may change there. */
function turns<Known extends { readonly number: number }>(known: readonly Known[]): Known[][] {
  const all: Known[][] = [];
  for (const each of known) {
    const turn = all.at(-1);
    const before = turn?.at(-1);
    if (turn === undefined || (before !== undefined && each.number <= before.number)) all.push([each]);
    else turn.push(each);
  }
  return all;
}

/** By number, milliseconds from a picture's place in the stream to its place in the display. */
function shownDelays({ units }: Clip, frameMs: number): ReadonlyMap<number, number> {
  return new Map(units.map(({ number, shownAt, sentAt }) => [number, (shownAt - sentAt) * frameMs]));
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
