/** The ledger for all viewers together: what is appended to its files is read once. */
import { LedgerReader } from '../../../ledger/reader';
import type { ApiLedger } from '../view/api';
import type { LedgerQuestion } from '../http/source';
import { bucketsOf, spanOf } from './buckets';

const HOUR_MS = 3_600_000;
/** Milliseconds of the ledger that can be asked for. */
const MAX_SPAN_MS = 7 * 24 * HOUR_MS;
/** Milliseconds for which an answer is reused; a bucket of the strip is longer. */
const FRESH_MS = 2000;
/** Number of different answers that are kept. */
const MAX_ANSWERS = 16;

export class LedgerView {
  readonly #reader: LedgerReader;
  readonly #answers = new Map<string, { readonly madeAtMs: number; readonly answer: Promise<ApiLedger> }>();
  /** One read at a time: each continues where the previous one ended. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(
    dir: string,
    private readonly now: () => number = Date.now,
  ) {
    this.#reader = new LedgerReader(dir);
  }

  /** @param cameras to answer about, unless the question names one */
  async answer({ since, buckets, camera }: LedgerQuestion, cameras: readonly string[]): Promise<ApiLedger> {
    const nowMs = this.now();
    const oldest = nowMs - MAX_SPAN_MS;
    const from = Math.min(nowMs - 1000, Math.max(oldest, since ?? nowMs - HOUR_MS));
    const span = spanOf(from, buckets, nowMs);
    const key = `${span.from} ${span.bucketMs} ${buckets} ${camera ?? ''}`;
    const known = this.#answers.get(key);
    if (known !== undefined && nowMs - known.madeAtMs < FRESH_MS) return known.answer;
    const answer = this.#reading.then(async () => {
      const accounts = await this.#reader.accountsSince(span.from);
      const wanted = camera === undefined ? cameras : [camera];
      const entries = wanted.map((id) => [id, bucketsOf(accounts.get(id) ?? [], span)] as const);
      const { bucketMs } = span;
      return {
        from: span.from,
        to: span.from + buckets * bucketMs,
        bucketMs,
        cameras: Object.fromEntries(entries),
      };
    });
    this.#reading = answer.catch(() => undefined);
    this.#answers.delete(key);
    this.#answers.set(key, { madeAtMs: nowMs, answer });
    for (const old of this.#answers.keys()) {
      if (this.#answers.size <= MAX_ANSWERS) break;
      this.#answers.delete(old);
    }
    return answer;
  }
}
