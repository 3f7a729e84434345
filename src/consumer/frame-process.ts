/** The frame-process program: consume, retrieve, decode, optionally save, remove, acknowledge. */
import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { aborted, unlessAborted } from '../clock/sleep';
import type { LogLevel } from '../log/levels';
import type { ConsumedFrame } from './attempt';
import { consumeFrames } from './consumer';
import { decodeFrame } from './decode';
import type { ConsumerCounters } from './counters';
import { ConsumerError, textOf, type ConsumerFault } from './fault';
import type { ConsumerOptions } from './options';
import { writeFrame } from './write-frame';

/** The counters are logged this often while they change. */
const REPORT_EVERY_MS = 60_000;

export interface ProcessedFrame extends Pick<ConsumedFrame, 'event' | 'redelivered'> {
  /** Where it was saved. */
  readonly file?: string;
}

export interface ProcessOptions {
  readonly amqpUrl: ConsumerOptions['amqpUrl'];
  readonly redisUrl: ConsumerOptions['redisUrl'];
  readonly queue: string;
  /** Folder that frames are saved under; if absent, nothing is saved. */
  readonly out?: string;
  /** Program that decodes keyframes; by default the ffmpeg on PATH. */
  readonly ffmpeg?: string;
  /** Number of processed frames after which it ends; if absent, it does not end. */
  readonly count?: number;
  /** As in ConsumerOptions; false when absent. */
  readonly latestOnly?: boolean;
  /** Called with every frame that was processed, before it is removed. */
  readonly onFrame?: (frame: ProcessedFrame) => Promise<void>;
  /** Ends it after the frames in progress. */
  readonly signal: AbortSignal;
  readonly log: (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/**
 * Processes frames until `count` or `signal` ends it; resolves with the counters when both connections have closed.
 * Servers that are away, and a folder that cannot be written to, are waited for. Rejects with a {@link ConsumerError}:
 * `invalid-option`, or `output-failed` when `out` cannot be created, or cannot be written to when `signal` ends it.
 */
export async function runProcess(options: ProcessOptions): Promise<ConsumerCounters> {
  const { amqpUrl, redisUrl, queue, out, count = Infinity, latestOnly = false, log } = options;
  if (out !== undefined) await prepareOutput(out);
  const work = new CountedWork(count, (frame) => processFrame(frame, options));
  const signal = AbortSignal.any([options.signal, work.completed]);
  // One listener for each waiting frame is not a leak.
  setMaxListeners(0, signal);
  let unwritable: ConsumerFault | undefined;
  const consumer = await consumeFrames(
    {
      amqpUrl,
      redisUrl,
      queue,
      latestOnly,
      onFault: (fault) => {
        if (fault.code === 'output-failed') unwritable = fault;
        log('warn', fault.message, fieldsOf(fault));
      },
      onConsuming: () => {
        unwritable = undefined;
        log('info', `consuming ${queue}`);
      },
    },
    (frame) => work.handle(frame, signal),
  );
  const reports = new CountReports(() => consumer.counters, log);
  await aborted(signal);
  await consumer.close();
  reports.close();
  throwIfSet(unwritable);
  return consumer.counters;
}

/** Frames stay in the queue without a consumer, which must not count as success. */
function throwIfSet(unwritable: ConsumerFault | undefined): void {
  if (unwritable !== undefined) throw new ConsumerError('output-failed', unwritable.message);
}

async function prepareOutput(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true });
  } catch (cause) {
    throw new ConsumerError('output-failed', `cannot create ${out}: ${textOf(cause)}`, { cause });
  }
}

async function processFrame(
  { event, bytes, redelivered }: ConsumedFrame,
  { out, ffmpeg, onFrame }: ProcessOptions,
): Promise<void> {
  await decodeFrame(bytes, event.data.format, ffmpeg === undefined ? {} : { ffmpeg });
  const file = out === undefined ? undefined : await writeFrame(out, event.data, bytes);
  await onFrame?.({ event, redelivered, ...(file === undefined ? {} : { file }) });
}

function fieldsOf({ code, count }: ConsumerFault): Readonly<Record<string, unknown>> {
  return { code, count };
}

/** Logs the counters once a minute, and at the end, when they differ from the last time. */
export class CountReports {
  #last = '';
  readonly #timer = setInterval(() => this.#report(), REPORT_EVERY_MS);

  constructor(
    private readonly counters: () => ConsumerCounters,
    private readonly log: ProcessOptions['log'],
  ) {}

  close(): void {
    clearInterval(this.#timer);
    this.#report();
  }

  #report(): void {
    const counters = this.counters();
    const text = JSON.stringify(counters);
    if (text !== this.#last) this.log('info', `processed ${counters.processed} frames`, { ...counters });
    this.#last = text;
  }
}

/** Lets exactly `count` frames succeed, several at a time; frames beyond that wait for one to fail, or return to the queue. */
class CountedWork {
  readonly #completed = new AbortController();
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #missing: number;

  constructor(
    count: number,
    private readonly work: (frame: ConsumedFrame) => Promise<void>,
  ) {
    this.#free = count;
    this.#missing = count;
    if (count <= 0) this.#completed.abort();
  }

  /** Aborted when the last frame has succeeded. */
  get completed(): AbortSignal {
    return this.#completed.signal;
  }

  async handle(frame: ConsumedFrame, signal: AbortSignal): Promise<void> {
    await this.#take(signal);
    try {
      await this.work(frame);
    } catch (error) {
      this.#free += 1;
      this.#waiting.shift()?.();
      throw error;
    }
    this.#missing -= 1;
    if (this.#missing === 0) this.#completed.abort();
  }

  async #take(signal: AbortSignal): Promise<void> {
    while (this.#free === 0 && !signal.aborted) {
      const turn = new Promise<void>((resolve) => this.#waiting.push(resolve));
      await unlessAborted(turn, signal);
    }
    if (this.#free === 0) throw Object.assign(new Error('enough frames were processed'), { code: 'requeue' });
    this.#free -= 1;
  }
}
