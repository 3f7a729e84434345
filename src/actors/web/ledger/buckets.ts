/** The ledger in equal stretches of time. Pure. */
import type { RecordedAccount } from '../../../ledger/record';
import { reasonOf } from '../../../ledger/fate';
import type { ApiLedgerBucket } from '../view/api';

export interface Span {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly bucketMs: number;
  readonly buckets: number;
}

/** Buckets that end at `nowMs` or a little later, the first begins at `since` or a little earlier. */
export function spanOf(since: number, buckets: number, nowMs: number): Span {
  const seconds = Math.max(1, Math.ceil((nowMs - since) / buckets / 1000));
  const bucketMs = seconds * 1000;
  // On whole multiples: from look to look the same periods are in the same bucket.
  const to = Math.ceil(nowMs / bucketMs) * bucketMs;
  return { from: to - buckets * bucketMs, bucketMs, buckets };
}

type Counted = Omit<ApiLedgerBucket, 'periods' | 'confirmed' | 'missed'> & {
  periods: number;
  confirmed: number;
  readonly missed: Record<string, number>;
};

/** The contents of the accounts of one camera. */
export function bucketsOf(
  accounts: readonly Pick<RecordedAccount, 'id' | 'runs'>[],
  { from, bucketMs, buckets }: Span,
): ApiLedgerBucket[] {
  const made = Array.from({ length: buckets }, (_, i): Counted => ({
    from: from + i * bucketMs,
    periods: 0,
    confirmed: 0,
    missed: {},
  }));
  const to = from + buckets * bucketMs;
  for (const { id, runs } of accounts) {
    const { periodMs } = id;
    const sequenceAt = (ms: number) => Math.ceil(ms / periodMs);
    for (const { first, last, fate } of runs.between(sequenceAt(from), sequenceAt(to) - 1)) {
      const start = Math.floor((first * periodMs - from) / bucketMs);
      for (let i = Math.max(0, start); i < buckets; i++) {
        const bucket = made[i];
        if (bucket === undefined || bucket.from > last * periodMs) break;
        const begin = Math.max(first, sequenceAt(bucket.from));
        const end = Math.min(last, sequenceAt(bucket.from + bucketMs) - 1);
        const count = Math.max(0, end - begin + 1);
        if (count === 0) continue;
        bucket.periods += count;
        if (fate.state === 'confirmed') bucket.confirmed += count;
        const reason = reasonOf(fate);
        if (reason !== undefined) bucket.missed[reason] = (bucket.missed[reason] ?? 0) + count;
      }
    }
  }
  return made;
}
