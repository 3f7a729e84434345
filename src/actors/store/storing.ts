/** Writes a frame to Redis, and keeps it there until its message is confirmed. */
import { withDeadline } from '../../clock/sleep';
import type { Frame } from '../../contract/frame';
import { Fault } from '../../fault/fault';
import type { Answer } from './announcements';

/** Where a frame is written; see RedisFrames. */
export interface FrameSink {
  /** Changes when a server was lost, and perhaps its memory with it. */
  readonly session: number;
  store(frame: Frame, bytes: Buffer): Promise<void>;
  markLatest(frame: Frame, delayed: boolean): Promise<void>;
}

/** A write that Redis has confirmed. */
export interface Stored {
  readonly session: number;
  /** When the write began, milliseconds since the epoch. */
  readonly atMs: number;
}

/** An unconfirmed frame is written again, with its full lifetime, this often: a slow broker must not outlast it. */
const REFRESH_SHARE = 1 / 20;
/** Also the longest time without a sign of work while the store waits for the broker. */
const MAX_REFRESH_MS = 10_000;

export class Storing {
  #writeMs: number | undefined;

  /** @param onWork called whenever a frame that waits for its confirm has been written again */
  constructor(
    private readonly options: { readonly sink: FrameSink; readonly expireMs: number },
    private readonly onWork: () => void,
  ) {}

  /** How long the last write took; undefined before the first. */
  get writeMs(): number | undefined {
    return this.#writeMs;
  }

  /** @throws Fault when Redis did not take it */
  async store(frame: Frame, bytes: Buffer): Promise<Stored> {
    const { sink } = this.options;
    const stored = { session: sink.session, atMs: Date.now() };
    const begunMs = performance.now();
    await sink.store(frame, bytes);
    this.#writeMs = performance.now() - begunMs;
    return stored;
  }

  /**
   * Resolves with the last write when the message is confirmed and the frame is still in Redis.
   * @param first the write before the message was announced
   * @throws Fault of the answer, or of a write
   */
  async untilAnswered(frame: Frame, bytes: Buffer, first: Stored, answer: Promise<Answer>): Promise<Stored> {
    const { sink, expireMs } = this.options;
    const refreshMs = Math.min(expireMs * REFRESH_SHARE, MAX_REFRESH_MS);
    let stored = first;
    let answered = await withDeadline(answer, refreshMs);
    while (answered === undefined) {
      stored = await this.store(frame, bytes);
      this.onWork();
      answered = await withDeadline(answer, refreshMs);
    }
    if (answered.fault !== undefined) throw Fault.from(answered.fault);
    while (stored.session !== sink.session) stored = await this.store(frame, bytes);
    return stored;
  }
}
