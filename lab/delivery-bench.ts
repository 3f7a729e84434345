/** A Delivery on a real spool, between a Redis and a broker that do as the test says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { performance } from 'node:perf_hooks';
import { Delivery } from '../src/actors/store/delivery';
import { Outbox } from '../src/actors/store/outbox';
import { Retention } from '../src/actors/store/retention';
import type { SpoolSpec } from '../src/config/topology';
import { frameId, type Frame } from '../src/contract/frame';
import { Fault, type FaultRecord } from '../src/fault/fault';
import { Spool } from '../src/spool/spool';
import { settled } from './until';

export const AT = 1_700_000_000_000;
export const EXPIRE_MS = 120_000;
const LONG_AGO_MS = 3_600_000;
/** What the stand-in for the broker answers to an announcement; `nothing` leaves that to the test. */
type Answer = 'confirm' | 'nack' | 'nothing';

export interface Bench {
  readonly dir: string;
  readonly spool: Spool;
  readonly delivery: Delivery;
  readonly outbox: Outbox;
  /** A frame has just been spooled. */
  offerLive(frame: Frame): void;
  /** Frames found in the spool. */
  offerBacklog(frames: readonly Frame[]): void;
  /** How far the clock was put forward; otherwise it runs, or stands. */
  aheadMs: number;
  clockStands: boolean;
  /** Changes when Redis was lost. */
  session: number;
  /** Every write that Redis was asked for, by capture time since AT. */
  readonly stored: number[];
  readonly latest: number[];
  readonly announced: { readonly id: string; readonly at: number; readonly delayed: boolean }[];
  readonly delivered: number[];
  readonly faults: { readonly fault: FaultRecord; readonly damaged: boolean }[];
  /** Writes that have begun and not ended, and the most there ever were. */
  readonly writing: Set<number>;
  readonly most: { writing: number };
  redis: 'up' | 'down' | 'held';
  latestFails: boolean;
  broker: Answer;
  /** Ends the writes that Redis holds. */
  releaseHeld(): void;
  /** The same, and Redis is up from then on. */
  release(): void;
  /** Puts frames into the spool, each captured `offset` ms after AT. */
  spooled(...offsets: number[]): Promise<Frame[]>;
  /** The same of that many bytes each. */
  spooledOf(bytes: number, ...offsets: number[]): Promise<Frame[]>;
  /** Capture times since AT of what is in the spool. */
  waiting(): Promise<number[]>;
}

/** All that waits in a spool, oldest first. */
export async function waitingIn(spool: Spool): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const { waiting } of spool.list()) frames.push(...waiting);
  return frames.sort((a, b) => a.capturedAt - b.capturedAt);
}

export function sinceStart({ capturedAt }: Frame): number {
  return capturedAt - AT;
}

/** `count` numbers from `first`. */
export function offsets(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** @param cameras frames are of this many cameras in turn */
export async function openBench(
  t: TestContext,
  cameras = 64,
  replay: Pick<SpoolSpec, 'replay' | 'replayRate'> = { replay: 'oldest-first', replayRate: 10_000 },
): Promise<Bench> {
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-delivery-'));
  const spool = new Spool(dir, path.join(dir, 'no memory'));
  const outbox = new Outbox();
  const now = () => (bench.clockStands ? 0 : performance.now()) + bench.aheadMs;
  const frameOf = (offset: number, bytes = 4): Frame => ({
    camera: cameraName(offset % cameras),
    capturedAt: AT + offset,
    sequence: 0,
    width: 64,
    height: 36,
    format: 'jpeg',
    bytes,
  });
  let held: (() => void)[] = [];
  const write = async (at: number): Promise<void> => {
    bench.stored.push(at);
    if (bench.writing.has(at)) throw new Error(`${at} is written twice at once`);
    bench.writing.add(at);
    bench.most.writing = Math.max(bench.most.writing, bench.writing.size);
    try {
      if (bench.redis === 'held') await new Promise<void>((resolve) => held.push(resolve));
      if (bench.redis === 'down') throw new Fault('redis-unreachable', 'redis is away');
    } finally {
      bench.writing.delete(at);
    }
  };
  const retention = new Retention({
    spool,
    durable: false,
    expireMs: EXPIRE_MS,
    onGone: (frame) => outbox.forget(frame),
  });
  const startDelivery = () =>
    new Delivery({
      spool,
      outbox,
      retention,
      replay,
      expireMs: EXPIRE_MS,
      now,
      sink: {
        get session() {
          return bench.session;
        },
        store: (frame) => write(sinceStart(frame)),
        markLatest: async (frame) => {
          bench.latest.push(sinceStart(frame));
          if (bench.latestFails) throw new Fault('redis-unreachable', 'redis has just gone');
        },
      },
      announce: (frame, delayed) => {
        bench.announced.push({ id: frameId(frame), at: sinceStart(frame), delayed });
        if (bench.broker === 'nothing') return;
        const fault =
          bench.broker === 'nack' ? { code: 'broker-nack', message: 'the queue is full' } : undefined;
        queueMicrotask(() => bench.delivery.announced(frameId(frame), fault));
      },
      onFault: (fault) => bench.faults.push({ fault, damaged: false }),
      onUnreadable: (fault) => bench.faults.push({ fault, damaged: false }),
      onDropped: (_, fault) => bench.faults.push({ fault, damaged: true }),
      onDelivered: (frame) => bench.delivered.push(sinceStart(frame)),
    });
  let delivery: Delivery | undefined;
  const bench: Bench = {
    dir,
    spool,
    outbox,
    get delivery() {
      return (delivery ??= startDelivery());
    },
    offerLive: (frame) => {
      outbox.add(frame, now());
      bench.delivery.wake();
    },
    offerBacklog: (frames) => {
      for (const frame of frames) outbox.add(frame, now() - LONG_AGO_MS + sinceStart(frame));
      bench.delivery.wake();
    },
    aheadMs: 0,
    clockStands: false,
    session: 0,
    stored: [],
    latest: [],
    announced: [],
    delivered: [],
    faults: [],
    writing: new Set(),
    most: { writing: 0 },
    redis: 'up',
    latestFails: false,
    broker: 'confirm',
    releaseHeld: () => {
      for (const resolve of held) resolve();
      held = [];
    },
    release: () => {
      bench.redis = 'up';
      bench.releaseHeld();
    },
    spooled: (...at) => bench.spooledOf(4, ...at),
    spooledOf: async (bytes, ...at) => {
      const frames = at.map((offset) => frameOf(offset, bytes));
      for (const camera of new Set(frames.map((frame) => frame.camera))) await spool.openCamera(camera);
      const picture = Buffer.alloc(bytes);
      picture.write('jpeg');
      await Promise.all(frames.map((frame) => spool.write(frame, picture)));
      return frames;
    },
    waiting: async () => (await waitingIn(spool)).map(sinceStart),
  };
  t.after(async () => {
    bench.broker = 'confirm';
    bench.release();
    // A delivery that never ends fails its own test, not those behind it.
    await Promise.race([bench.delivery.stop(), settled(200)]);
    await rm(dir, { recursive: true, maxRetries: 5 });
  });
  return bench;
}

function cameraName(number: number): string {
  return `cam${number}`;
}
