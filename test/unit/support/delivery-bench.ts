/** A Delivery on a real spool, between a Redis and a broker that do as the test says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Delivery } from '../../../src/actors/store/delivery';
import { frameId, type Frame } from '../../../src/contract/frame';
import { Fault, type FaultRecord } from '../../../src/protocol/fault';
import { Spool } from '../../../src/spool/spool';
import { settled } from './until';

export const AT = 1_700_000_000_000;
/** What the stand-in for the broker answers to an announcement; `nothing` leaves that to the test. */
type Answer = 'confirm' | 'nack' | 'nothing';

export interface Bench {
  readonly dir: string;
  readonly spool: Spool;
  readonly delivery: Delivery;
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
  /** Capture times since AT of what is in the spool. */
  waiting(): Promise<number[]>;
}

export function sinceStart({ capturedAt }: Frame): number {
  return capturedAt - AT;
}

/** `count` numbers from `first`. */
export function offsets(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** @param cameras frames are of so many cameras in turn */
export async function openBench(t: TestContext, cameras = 64): Promise<Bench> {
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-delivery-'));
  const spool = new Spool(dir);
  const frameOf = (offset: number): Frame => ({
    camera: cameraName(offset % cameras),
    capturedAt: AT + offset,
    sequence: 0,
    width: 64,
    height: 36,
    format: 'jpeg',
    bytes: 4,
  });
  let held: (() => void)[] = [];
  const write = async (at: number): Promise<void> => {
    bench.stored.push(at);
    if (bench.writing.has(at)) throw new Error(`${String(at)} is written twice at once`);
    bench.writing.add(at);
    bench.most.writing = Math.max(bench.most.writing, bench.writing.size);
    try {
      if (bench.redis === 'held') await new Promise<void>((resolve) => held.push(resolve));
      if (bench.redis === 'down') throw new Fault('redis-unreachable', 'redis is away');
    } finally {
      bench.writing.delete(at);
    }
  };
  const delivery = new Delivery({
    spool,
    sink: {
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
      queueMicrotask(() => {
        delivery.announced(frameId(frame), fault);
      });
    },
    onFault: (fault, damaged) => bench.faults.push({ fault, damaged }),
    onDelivered: (frame) => bench.delivered.push(sinceStart(frame)),
  });
  const bench: Bench = {
    dir,
    spool,
    delivery,
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
    spooled: async (...at) => {
      const frames = at.map(frameOf);
      for (const camera of new Set(frames.map((frame) => frame.camera))) await spool.openCamera(camera);
      await Promise.all(frames.map((frame) => spool.write(frame, Buffer.from('jpeg'))));
      return frames;
    },
    waiting: async () => (await spool.list()).map(sinceStart),
  };
  t.after(async () => {
    bench.broker = 'confirm';
    bench.release();
    // A delivery that never ends fails its own test, not those behind it.
    await Promise.race([delivery.stop(), settled(200)]);
    await rm(dir, { recursive: true, maxRetries: 5 });
  });
  return bench;
}

function cameraName(number: number): string {
  return `cam${String(number)}`;
}
