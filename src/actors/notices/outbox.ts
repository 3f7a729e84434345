/** The notices of one webhook on their way: one at a time, in order, tried again with back-off, bounded in number, age and rate. */
import { randomUUID } from 'node:crypto';
import { backOffMs } from '../../clock/back-off';
import { sleep, unlessAborted } from '../../clock/sleep';
import type { FaultRecord } from '../../fault/fault';
import { signedHeaders } from './signature';
import type { Notice, NoticeBody } from './notice';
import type { Post } from './post';

/** Beyond this number, the oldest are dropped. */
const MAX_WAITING = 500;
const MAX_AGE_MS = 86_400_000;
const BACK_OFF = { firstMs: 5000, capMs: 300_000 };
/** No attempt follows a failed one sooner. */
const LEAST_PAUSE_MS = 1000;
/** This many notices may be sent at once, then one per interval. */
const BURST = 20;
const EACH_MS = 2000;

export interface OutboxOptions {
  readonly url: string;
  readonly secret: string;
  readonly post: Post;
  /** The list of waiting notices has changed. */
  readonly onChange: () => void;
  /** An attempt has failed, `undefined`: one succeeded. */
  readonly onFault: (fault: FaultRecord | undefined) => void;
  /** Notices were dropped. */
  readonly onLost: (count: number, why: string) => void;
  /** Milliseconds of the clock that is never set. */
  readonly clockMs?: () => number;
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class Outbox {
  readonly #waiting: Notice[];
  #sent = 0;
  #fault: FaultRecord | undefined;
  #isGone = false;
  #arrived: () => void = () => undefined;
  /** When the next may be sent if it is not within the burst. */
  #paidUntilMs = -Infinity;

  constructor(
    private readonly options: OutboxOptions,
    waiting: readonly Notice[],
  ) {
    this.#waiting = [...waiting];
  }

  get waiting(): readonly Notice[] {
    return this.#waiting;
  }

  get sent(): number {
    return this.#sent;
  }

  /** Why the waiting notices have not been sent. */
  get fault(): FaultRecord | undefined {
    return this.#fault;
  }

  add(bodies: readonly NoticeBody[]): void {
    if (this.#isGone || bodies.length === 0) return;
    for (const body of bodies)
      this.#waiting.push({ id: `msg_${randomUUID()}`, atMs: Date.parse(body.timestamp), body });
    const excess = this.#waiting.length - MAX_WAITING;
    if (excess > 0) {
      this.#waiting.splice(0, excess);
      this.options.onLost(excess, `more than ${MAX_WAITING} wait`);
    }
    this.#arrived();
  }

  /** Sends until `signal` is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { pause = sleep } = this.options;
    let attempt = 0;
    while (!signal.aborted) {
      this.#dropOld();
      const [notice] = this.#waiting;
      if (notice === undefined) {
        await this.#untilArrived(signal);
        continue;
      }
      await pause(this.#turnMs(), signal);
      const pauseMs = await this.#attempt(notice, ++attempt, signal);
      if (pauseMs === undefined) attempt = 0;
      else await pause(pauseMs, signal);
    }
  }

  /** Milliseconds until it may be tried again; undefined when the notice is done with. */
  async #attempt(notice: Notice, attempt: number, signal: AbortSignal): Promise<number | undefined> {
    const { url, secret, post, onFault, onLost } = this.options;
    const body = JSON.stringify(notice.body);
    const posted = await post(url, signedHeaders(secret, notice.id, Date.now(), body), body, signal);
    if (signal.aborted && posted.kind === 'failed') return undefined;
    if (posted.kind === 'failed') {
      this.#fault = posted.fault;
      onFault(posted.fault);
      return Math.max(LEAST_PAUSE_MS, posted.pauseMs ?? 0, backOffMs(BACK_OFF, attempt, Math.random()));
    }
    this.#fault = undefined;
    if (posted.kind === 'gone') {
      this.#isGone = true;
      onLost(this.#waiting.splice(0).length, posted.fault.message);
    } else {
      this.#remove(notice);
      if (posted.kind === 'refused') onLost(1, posted.fault.message);
      else {
        this.#sent++;
        onFault(undefined);
      }
    }
    this.options.onChange();
    return undefined;
  }

  /** It may have been dropped meanwhile. */
  #remove(notice: Notice): void {
    const at = this.#waiting.indexOf(notice);
    if (at !== -1) this.#waiting.splice(at, 1);
  }

  #dropOld(): void {
    const nowMs = Date.now();
    const isOld = ({ atMs }: Notice) => nowMs - atMs > MAX_AGE_MS;
    const old = this.#waiting.filter(isOld).length;
    if (old === 0) return;
    this.#waiting.splice(0, this.#waiting.length, ...this.#waiting.filter((notice) => !isOld(notice)));
    this.options.onLost(old, `they waited for ${MAX_AGE_MS / 3_600_000} hours`);
    this.options.onChange();
  }

  /** Milliseconds until the next attempt keeps to the rate: each costs, and a burst's worth may be owed. */
  #turnMs(): number {
    const { clockMs = () => performance.now() } = this.options;
    const nowMs = clockMs();
    this.#paidUntilMs = Math.max(this.#paidUntilMs, nowMs - BURST * EACH_MS) + EACH_MS;
    return Math.max(0, this.#paidUntilMs - nowMs);
  }

  async #untilArrived(signal: AbortSignal): Promise<void> {
    const arrived = new Promise<void>((resolve) => {
      this.#arrived = resolve;
    });
    await unlessAborted(arrived, signal);
  }
}
