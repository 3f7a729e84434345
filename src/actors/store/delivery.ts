/** Stores and announces spooled frames until confirmed: live ones first, the backlog at a bounded rate. */
import { backOffMs, type BackOff } from '../../clock/back-off';
import { withDeadline } from '../../clock/sleep';
import type { SpoolSpec } from '../../config/topology';
import type { Frame } from '../../contract/frame';
import { Fault, faultRecord, type FaultRecord } from '../../fault/fault';
import type { Spool } from '../../spool/spool';
import { Announcements } from './announcements';
import { FRESH_CLAIM_MS, underClaim, type Claim, type Claims } from './claims';
import { FlightWindow } from './flight-window';
import type { Choice, Outbox } from './outbox';
import { Pace } from './pace';
import type { Retention } from './retention';
import { Storing, type FrameSink, type Stored } from './storing';

export interface DeliveryOptions {
  readonly spool: Spool;
  readonly sink: FrameSink;
  readonly outbox: Outbox;
  readonly retention: Retention;
  readonly replay: Pick<SpoolSpec, 'replay' | 'replayRate'>;
  readonly expireMs: number;
  /** A clock that is never set, milliseconds. */
  readonly now: () => number;
  /** Requests the announcement; the answer arrives through `Delivery.announced`. */
  readonly announce: (frame: Frame, delayed: boolean) => void;
  /** A server failed; the frame stays. */
  readonly onFault: (fault: FaultRecord) => void;
  readonly onDelivered: (frame: Frame, delayed: boolean) => void;
  /** A file of the spool cannot be read now; it stays and is retried. */
  readonly onUnreadable: (fault: FaultRecord) => void;
  /** A file of the spool is damaged, or has gone. */
  readonly onDropped: (frame: Frame, fault: FaultRecord) => void;
  /** In a fleet, where another node may have announced a picture of the period. */
  readonly claims?: Pick<Claims, 'claim' | 'confirm'> | undefined;
  readonly onSuperseded?: (frame: Frame) => void;
}

/** A cluster fails over within seconds; the last pause must not add as many. */
const RETRY: BackOff = { firstMs: 250, capMs: 1000 };
/** Milliseconds until a period that another node has claimed is checked again. */
const HELD_MS = 2000;
const STOPPED: FaultRecord = { code: 'stopped', message: 'the store was stopped before the answer came' };

export class Delivery {
  readonly #announcements: Announcements;
  readonly #storing: Storing;
  readonly #pace: Pace;
  readonly #active = new Map<Choice, Promise<void>>();
  readonly #window = new FlightWindow();
  #delayedInFlight = 0;
  /** Deliveries that failed in a row; while there are any, one frame at a time tries the servers. */
  #failures = 0;
  #worked = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #paceTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(private readonly options: DeliveryOptions) {
    this.#announcements = new Announcements(options.announce);
    this.#storing = new Storing(options, () => this.#worked++);
    this.#pace = new Pace(options.replay.replayRate, options.now());
  }

  /** To be called when frames wait in the outbox. */
  wake(): void {
    this.#pump();
  }

  /** The answer to an announcement. */
  announced(id: string, fault: FaultRecord | undefined): void {
    this.#announcements.settle(id, fault);
  }

  /** The notifier has ended, and its pending answers are lost. */
  notifierLost(): void {
    this.#announcements.settleAll({
      code: 'notifier-lost',
      message: 'the notifier ended before it answered',
    });
  }

  /** Servers answer again: try now instead of at the end of the pause. */
  resume(): void {
    if (this.#retryTimer === undefined) return;
    this.#endPause();
    this.#pump();
  }

  /** Rises with every finished frame, and with every sign that a frame still waits for the broker. */
  get worked(): number {
    return this.#worked;
  }

  /** Whether a frame is in flight while no server fails. */
  get isDue(): boolean {
    return this.#active.size > 0 && this.#failures === 0;
  }

  /** How long the last write to Redis took; undefined before the first. */
  get writeMs(): number | undefined {
    return this.#storing.writeMs;
  }

  /** Delivers waiting frames until none is left, a server fails or the deadline has passed. */
  async drain(deadlineMs: number): Promise<void> {
    const idle = async () => {
      while (this.#active.size > 0 && this.#failures === 0) await Promise.race(this.#active.values());
    };
    await withDeadline(idle(), deadlineMs);
  }

  /** Starts nothing new, abandons pending answers, and leaves the rest in the spool. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endPause();
    clearTimeout(this.#paceTimer);
    this.#announcements.settleAll(STOPPED);
    await Promise.all(this.#active.values());
  }

  #pump(): void {
    while (!this.#stopped && this.#retryTimer === undefined) {
      if (this.#window.isFull || (this.#failures > 0 && this.#active.size > 0)) return;
      const choice = this.options.outbox.takeLive(this.options.now()) ?? this.#takeDelayed();
      if (choice === undefined) return;
      this.#begin(choice);
    }
  }

  #begin(choice: Choice): void {
    const { frame, delayed } = choice;
    this.#window.begin(frame.bytes);
    this.#delayedInFlight += Number(delayed);
    const done = this.#deliver(choice).finally(() => {
      this.#window.end(frame.bytes);
      this.#delayedInFlight -= Number(delayed);
      this.#active.delete(choice);
      this.#pump();
    });
    this.#active.set(choice, done);
  }

  #takeDelayed(): Choice | undefined {
    const { outbox, replay, now } = this.options;
    if (replay.replay === 'none' || this.#delayedInFlight >= this.#window.limit / 2) return undefined;
    const waitMs = this.#pace.waitMs(now());
    if (waitMs > 0) {
      if (outbox.frames > this.#active.size) this.#pumpAfter(waitMs);
      return undefined;
    }
    const choice = outbox.takeDelayed(replay.replay);
    if (choice !== undefined) this.#pace.take();
    return choice;
  }

  #pumpAfter(waitMs: number): void {
    this.#paceTimer ??= setTimeout(() => {
      this.#paceTimer = undefined;
      this.#pump();
    }, Math.ceil(waitMs));
  }

  async #deliver(choice: Choice): Promise<void> {
    const { outbox, spool, onUnreadable, onDropped } = this.options;
    const { frame } = choice;
    try {
      if ((await this.#deliverOnce(choice)) === 'held') {
        outbox.postpone(choice, this.options.now() + HELD_MS);
        this.#worked++;
        return;
      }
    } catch (error) {
      const fault = faultRecord(error, 'delivery');
      if (fault.code === 'spool-read') {
        outbox.putOff(choice, this.options.now());
        onUnreadable(fault);
        this.#worked++;
        return;
      }
      if (fault.code !== 'damaged-frame' && fault.code !== 'spool-missing') {
        this.#failed(choice, fault);
        return;
      }
      if (fault.code === 'damaged-frame') await spool.setAside(frame).catch(() => undefined);
      onDropped(frame, fault);
      outbox.forget(frame);
    }
    outbox.settle(frame);
    this.#worked++;
  }

  /** The result of its claim; without a fleet, `ours`. Except for `held`, the frame is finished. */
  async #deliverOnce(choice: Choice): Promise<Claim> {
    const { frame, delayed } = choice;
    const { spool, sink, retention, claims, onDelivered, now } = this.options;
    const begunMs = now();
    const claim = await claims?.claim(frame);
    if (claim !== undefined && claim !== 'ours') return this.#settleOther(choice, claim);
    const bytes = await spool.read(frame);
    if (bytes === undefined)
      throw new Fault('spool-missing', `camera ${frame.camera}: a frame has gone from the spool`);
    // Both writes go out together: one round trip.
    const [stored] = await Promise.all([this.#storing.store(frame, bytes), sink.markLatest(frame, delayed)]);
    if (claims !== undefined && now() - begunMs > FRESH_CLAIM_MS) {
      const renewed = await claims.claim(frame);
      if (renewed !== 'ours') return this.#settleOther(choice, renewed);
    }
    const kept = await this.#confirmed(choice, bytes, stored);
    this.#failures = 0;
    this.#window.delivered(now() - begunMs, now());
    onDelivered(frame, delayed);
    await retention.keep(frame, kept.atMs);
    return 'ours';
  }

  /** Resolves when the message is confirmed and the frame is still in Redis. */
  async #confirmed({ frame, delayed }: Choice, bytes: Buffer, first: Stored): Promise<Stored> {
    if (this.#stopped) throw Fault.from(STOPPED);
    const answer = this.#announcements.request(frame, delayed);
    const kept = this.#storing.untilAnswered(frame, bytes, first, answer);
    return underClaim(this.options.claims, frame, kept);
  }

  /** Another picture of the period was announced, or this one was before. */
  async #settleOther({ frame, delayed }: Choice, claim: Exclude<Claim, 'ours'>): Promise<Claim> {
    const { retention, onDelivered, onSuperseded } = this.options;
    if (claim === 'superseded') {
      onSuperseded?.(frame);
      await retention.remove(frame);
    } else if (claim === 'announced') {
      onDelivered(frame, delayed);
      await retention.keep(frame, Date.now());
    }
    return claim;
  }

  #failed(choice: Choice, fault: FaultRecord): void {
    this.options.outbox.giveBack(choice);
    if (this.#stopped) return;
    this.options.onFault(fault);
    this.#failures++;
    this.#retryTimer ??= setTimeout(() => this.resume(), backOffMs(RETRY, this.#failures, Math.random()));
  }

  #endPause(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
  }
}
