/** Coverage from the ledger's buckets: what each stretch of time was like, and sentences about it. Pure. */
import type { ApiLedgerBucket } from '../src/actors/web/view/api';
import { isFault, reasonText } from './reasons.js';
import { clockTime, countText, duration } from './times.js';

/**
 * The kind of a bucket, determined by its worst period: `none` before there was an account of the camera, `unwanted`
 * if the missing frames were not to be captured.
 */
export type BucketKind = 'none' | 'covered' | 'waiting' | 'unwanted' | 'partial' | 'missed';

/** Neighbouring buckets of one kind with the same main reason. */
export interface Stretch {
  readonly kind: BucketKind;
  readonly from: number;
  readonly to: number;
  /** Buckets `first` to `last` of the account, both included. */
  readonly first: number;
  readonly last: number;
  readonly periods: number;
  readonly confirmed: number;
  readonly missed: Readonly<Record<string, number>>;
}

export function missedPeriods({ missed }: Pick<ApiLedgerBucket, 'missed'>): number {
  return Object.values(missed).reduce((sum, count) => sum + count, 0);
}

function faultPeriods({ missed }: Pick<ApiLedgerBucket, 'missed'>): number {
  return Object.entries(missed).reduce((sum, [reason, count]) => sum + (isFault(reason) ? count : 0), 0);
}

export function kindOf(bucket: ApiLedgerBucket): BucketKind {
  if (bucket.periods === 0) return 'none';
  const faults = faultPeriods(bucket);
  if (faults > 0) return faults >= bucket.periods ? 'missed' : 'partial';
  if (missedPeriods(bucket) > 0) return 'unwanted';
  return bucket.confirmed < bucket.periods ? 'waiting' : 'covered';
}

/** The reason most periods were missed for. */
export function mainReason({ missed }: Pick<ApiLedgerBucket, 'missed'>): string | undefined {
  return Object.entries(missed).sort(([, a], [, b]) => b - a)[0]?.[0];
}

export function stretches(buckets: readonly ApiLedgerBucket[], bucketMs: number): Stretch[] {
  const found: Stretch[] = [];
  buckets.forEach((bucket, place) => {
    const kind = kindOf(bucket);
    const to = bucket.from + bucketMs;
    const before = found.at(-1);
    if (before?.kind === kind && mainReason(before) === mainReason(bucket))
      found[found.length - 1] = {
        ...before,
        ...{ to, last: place },
        periods: before.periods + bucket.periods,
        confirmed: before.confirmed + bucket.confirmed,
        missed: added(before.missed, bucket.missed),
      };
    else
      found.push({
        ...{ kind, from: bucket.from, to, first: place, last: place },
        ...{ periods: bucket.periods, confirmed: bucket.confirmed, missed: bucket.missed },
      });
  });
  return found;
}

function added(a: Stretch['missed'], b: Stretch['missed']): Record<string, number> {
  const sums: Record<string, number> = { ...a };
  for (const [reason, count] of Object.entries(b)) sums[reason] = (sums[reason] ?? 0) + count;
  return sums;
}

/** Whether a stretch holds periods without a frame that were wanted. */
export function isGap({ kind }: Pick<Stretch, 'kind'>): boolean {
  return kind === 'missed' || kind === 'partial';
}

/** `12:01 to 12:04: 181 of 240 frames missed, the feed stopped sending`. */
export function stretchText(stretch: Stretch): string {
  return `${clockTime(stretch.from)} to ${clockTime(stretch.to)}: ${happened(stretch)}`;
}

function happened(stretch: Stretch): string {
  const { kind, periods, confirmed } = stretch;
  switch (kind) {
    case 'none':
      return 'nothing was recorded';
    case 'covered':
      return 'every frame was delivered';
    case 'waiting':
      return `${counted(periods - confirmed)} not confirmed yet`;
    case 'unwanted':
      return `no frame wanted, ${reasonText(mainReason(stretch) ?? '')}`;
    case 'partial':
    case 'missed':
      return `${missedText(stretch)}: ${reasonsText(stretch.missed)}`;
  }
}

function missedText(stretch: Stretch): string {
  const missed = missedPeriods(stretch);
  return missed >= stretch.periods
    ? `all ${counted(missed)} missed`
    : `${countText(missed)} of ${counted(stretch.periods)} missed`;
}

function counted(frames: number): string {
  return `${countText(frames)} ${frames === 1 ? 'frame' : 'frames'}`;
}

/** The reasons, the most frequent first, with counts if there are several. */
function reasonsText(missed: Stretch['missed']): string {
  const sorted = Object.entries(missed).sort(([, a], [, b]) => b - a);
  if (sorted.length === 1) return reasonText(sorted[0]?.[0] ?? '');
  return sorted.map(([reason, count]) => `${reasonText(reason)} (${countText(count)})`).join('; ');
}

/**
 * Share of confirmed periods among those that are decided and were wanted, 0 to 1, as in the ledger command;
 * undefined if there are none.
 */
export function coverage(buckets: readonly ApiLedgerBucket[]): number | undefined {
  let [confirmed, decided] = [0, 0];
  for (const bucket of buckets) {
    confirmed += bucket.confirmed;
    decided += bucket.confirmed + missedPeriods(bucket) - (bucket.missed['disabled'] ?? 0);
  }
  return decided === 0 ? undefined : confirmed / decided;
}

/** Rounded down, so that 100 % means that nothing is missing: `99.9 %`. */
export function percentText(share: number): string {
  const percent = Math.floor(share * 1000) / 10;
  return `${percent === 100 || percent === 0 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

/** What a strip shows, in one sentence: for screen readers and for the title of a tile's strip. */
export function summaryText(all: readonly Stretch[], share: number | undefined, span: string): string {
  if (share === undefined) return `${span}: nothing recorded yet.`;
  const gaps = all.filter(isGap);
  const longest = [...gaps].sort((a, b) => b.to - b.from - (a.to - a.from))[0];
  const covered = `${span}: ${percentText(share)} delivered`;
  if (longest === undefined) return `${covered}, no gaps.`;
  const many = `${countText(gaps.length)} ${gaps.length === 1 ? 'gap' : 'gaps'}`;
  return `${covered}, ${many}, the longest within ${duration(longest.to - longest.from)}.`;
}
