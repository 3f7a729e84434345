/**
 * Brings spooled frames to Redis and has them announced: live frames first, the backlog behind them, a bounded
 * number in flight. A frame leaves the spool when the broker has confirmed its message, and in no other way but
 * by a bound the operator set.
 */
import { backOffMs, type BackOff } from '../../clock/back-off';
import { withDeadline } from '../../clock/sleep';
import { frameId, type Frame } from '../../contract/frame';
import { Fault, faultRecord, type FaultRecord } from '../../protocol/fault';
import type { Spool } from '../../spool/spool';

/** Where a frame is written; see RedisFrames. */
export interface FrameSink {
  store(frame: Frame, bytes: Buffer): Promise<void>;
  markLatest(frame: Frame): Promise<void>;
}

export interface DeliveryOptions {
  readonly spool: Spool;
  readonly sink: FrameSink;
  /** Asks for the announcement; the answer comes back through `Delivery.announced`. */
  readonly announce: (frame: Frame, delayed: boolean) => void;
  /** A server failed (false) or a frame of the spool is damaged (true). */
  readonly onFault: (fault: FaultRecord, damagedFrame: boolean) => void;
  readonly onDelivered: (frame: Frame) => void;
}

/** More do not raise throughput: RabbitMQ confirms a window of 8 in the time of one (measured). */
const MAX_IN_FLIGHT = 16;
/** Frames known but not begun; the spool knows the others. */
const MAX_QUEUED = 1000;
/** An answer that has not come by then is asked for again. */
const ANNOUNCE_MS = 10_000;
const RETRY: BackOff = { firstMs: 250, capMs: 3000 };

const STOPPED: FaultRecord = { code: 'stopped', message: 'the store was stopped before the answer came' };

interface PendingAnnouncement {
  readonly settle: (fault: FaultRecord | undefined) => void;
  readonly timer: NodeJS.Timeout;
}

export class Delivery {
  #live: Frame[] = [];
  #backlog: Frame[] = [];
  /** Ids of frames queued or in flight: a frame is never in twice. */
  readonly #known = new Set<string>();
  readonly #announcements = new Map<string, PendingAnnouncement>();
  /** What is in flight, one frame of a camera at a time: its consumers see its frames in their order. */
  readonly #active = new Map<string, Promise<void>>();
  /** Deliveries that failed in a row; while there are any, one frame at a time tries the servers. */
  #failures = 0;
  #finished = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(private readonly options: DeliveryOptions) {}

  /** A frame has just been spooled. */
  offerLive(frame: Frame): void {
    // In an outage nothing is live any more: what is captured now will be old when the servers are back.
    if (this.#enlist(frame, this.#failures === 0 ? this.#live : this.#backlog)) this.#pump();
  }

  /** Frames found in the spool, oldest first; those already known are passed over. */
  offerBacklog(frames: readonly Frame[]): void {
    for (const frame of frames) if (this.#backlog.length < MAX_QUEUED) this.#enlist(frame, this.#backlog);
    this.#pump();
  }

  /** The answer to an announcement; answers nobody waits for any more are passed over. */
  announced(id: string, fault: FaultRecord | undefined): void {
    this.#announcements.get(id)?.settle(fault);
  }

  /** The notifier has gone, and every answer it owed. */
  notifierLost(): void {
    for (const { settle } of this.#announcements.values())
      settle({ code: 'notifier-lost', message: 'the notifier ended before it answered' });
  }

  /** Servers answer again: try now instead of at the end of the pause. */
  resume(): void {
    if (this.#retryTimer === undefined) return;
    this.#endPause();
    this.#pump();
  }

  /** Frames known and not finished. */
  get queued(): number {
    return this.#known.size;
  }

  /** Frames delivered or set aside. */
  get finished(): number {
    return this.#finished;
  }

  /** Whether something waits that no server holds up. */
  get isDue(): boolean {
    return this.#known.size > 0 && this.#failures === 0;
  }

  /** Delivers what is queued until nothing is left, a server fails or the deadline has passed. */
  async drain(deadlineMs: number): Promise<void> {
    const idle = async () => {
      while (this.#active.size > 0 && this.#failures === 0) await Promise.race(this.#active.values());
    };
    await withDeadline(idle(), deadlineMs);
  }

  /** Begins nothing new, gives up the answers that are still due, and leaves the rest in the spool. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endPause();
    for (const { settle } of this.#announcements.values()) settle(STOPPED);
    await Promise.all(this.#active.values());
  }

  #enlist(frame: Frame, queue: Frame[]): boolean {
    const id = frameId(frame);
    if (this.#stopped || this.#known.has(id) || queue.length >= MAX_QUEUED) return false;
    this.#known.add(id);
    queue.push(frame);
    return true;
  }

  #pump(): void {
    const limit = this.#failures === 0 ? MAX_IN_FLIGHT : 1;
    while (!this.#stopped && this.#retryTimer === undefined && this.#active.size < limit) {
      const live = this.#takeNext(this.#live);
      const frame = live ?? this.#takeNext(this.#backlog);
      if (frame === undefined) return;
      const done = this.#deliver(frame, live === undefined).finally(() => {
        this.#active.delete(frame.camera);
        this.#pump();
      });
      this.#active.set(frame.camera, done);
    }
  }

  #takeNext(queue: Frame[]): Frame | undefined {
    const next = queue.findIndex(({ camera }) => !this.#active.has(camera));
    return next === -1 ? undefined : queue.splice(next, 1)[0];
  }

  async #deliver(frame: Frame, delayed: boolean): Promise<void> {
    try {
      const delivered = await this.#deliverOnce(frame, delayed);
      this.#finish(frame);
      if (!delivered) return;
      this.#failures = 0;
      this.options.onDelivered(frame);
    } catch (error) {
      await this.#failed(frame, faultRecord(error, 'delivery'));
    }
  }

  /** False when the spool no longer has the frame. */
  async #deliverOnce(frame: Frame, delayed: boolean): Promise<boolean> {
    const { spool, sink } = this.options;
    const bytes = await spool.read(frame);
    if (bytes === undefined) return false;
    await sink.store(frame, bytes);
    await sink.markLatest(frame);
    const fault = await this.#announce(frame, delayed);
    if (fault !== undefined) throw new Fault(fault.code, fault.message);
    await spool.remove(frame);
    return true;
  }

  async #failed(frame: Frame, fault: FaultRecord): Promise<void> {
    if (fault.code === 'damaged-frame') {
      await this.options.spool.setAside(frame).catch(() => undefined);
      this.#finish(frame);
      this.options.onFault(fault, true);
      return;
    }
    if (this.#stopped) return;
    this.options.onFault(fault, false);
    // What has waited through a failure is backlog.
    this.#backlog = [...this.#backlog, ...this.#live, frame].sort((a, b) => a.capturedAt - b.capturedAt);
    this.#live = [];
    this.#failures++;
    if (this.#retryTimer !== undefined) return;
    this.#retryTimer = setTimeout(
      () => {
        this.resume();
      },
      backOffMs(RETRY, this.#failures, Math.random()),
    );
  }

  #finish(frame: Frame): void {
    this.#known.delete(frameId(frame));
    this.#finished++;
  }

  #endPause(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
  }

  async #announce(frame: Frame, delayed: boolean): Promise<FaultRecord | undefined> {
    if (this.#stopped) return STOPPED;
    const id = frameId(frame);
    const answer = new Promise<FaultRecord | undefined>((resolve) => {
      const settle = (fault: FaultRecord | undefined) => {
        clearTimeout(timer);
        this.#announcements.delete(id);
        resolve(fault);
      };
      const timer = setTimeout(() => {
        settle({
          code: 'announce-timeout',
          message: `the notifier did not answer within ${String(ANNOUNCE_MS)} ms`,
        });
      }, ANNOUNCE_MS);
      this.#announcements.set(id, { settle, timer });
    });
    this.options.announce(frame, delayed);
    return answer;
  }
}
