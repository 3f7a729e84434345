/**
 * Still pictures over HTTP: one is requested per period, over one connection, and never before the previous
 * answer.
 */
import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { isDeepStrictEqual } from 'node:util';
import { sleep } from '../../../clock/sleep';
import type { CameraSource } from '../../../config/topology';
import { Fault, type FaultRecord } from '../../../fault/fault';
import type { FeedOptions } from '../feed/options';
import { feedName } from '../../../config/feed-name';
import { answerFault } from './answer-fault';
import { HttpClient, type Answer } from '../http/client';
import { readContentType } from '../http/content-type';
import { FetchTimes } from './fetch-times';
import { errorFault, ofFeed, statusFault } from '../http/http-fault';
import { readBody } from './still-body';
import { StillClock } from './still-clock';
import { StillMaker } from './still-maker';

/**
 * A reused connection counts as dead after `stallMs`, but not before this multiple of the slowest recent
 * answer.
 */
const MIN_SILENT_ANSWERS = 3;
/** Consecutive answers in time after which a slow camera is no longer reported. */
const STEADY_ANSWERS = 30;

interface StillPicture {
  readonly bytes: Buffer;
  readonly checksum: string;
  readonly etag: string | undefined;
}

type StillSource = Extract<CameraSource, { kind: 'still' }>;

/** @throws Fault with the reason to pause before the next request; nothing if `signal` was aborted */
export async function captureStills(options: FeedOptions, signal: AbortSignal): Promise<void> {
  const { source } = options.camera;
  if (source.kind !== 'still') throw new Error('not a feed of still pictures');
  const feed = new StillFeed(options, source);
  try {
    await feed.run(signal);
  } catch (error) {
    if (!signal.aborted) throw ofFeed(feed.source, errorFault(error));
  } finally {
    feed.close();
  }
}

class StillFeed {
  readonly #times: FetchTimes;
  readonly #clock = new StillClock();
  readonly #maker: StillMaker;
  #last: StillPicture | undefined;
  /** Duration of the slowest of the newest answers. */
  #answerMs = 0;
  #answersInTime = STEADY_ANSWERS;

  #client: HttpClient;
  #isReady: boolean;

  constructor(
    private readonly options: FeedOptions,
    public source: StillSource,
  ) {
    const { periodMs, id } = options.camera;
    this.#client = this.#connect();
    this.#isReady = options.onReady === undefined;
    this.#times = new FetchTimes(periodMs, id);
    this.#maker = new StillMaker(options);
  }

  #connect(): HttpClient {
    return new HttpClient(this.source.url, { ...this.source, onBasic: this.options.onBasic });
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#takeSettings();
      this.#times.begun(Date.now());
      await this.#fetch(signal);
      await sleep(this.#times.waitMs(Date.now()), signal);
    }
  }

  close(): void {
    this.#client.close();
  }

  /** Each picture is requested with the current settings. */
  #takeSettings(): void {
    const { source, periodMs } = this.options.camera;
    this.#times.periodMs = periodMs;
    if (source.kind !== 'still' || isDeepStrictEqual(source, this.source)) return;
    this.close();
    this.source = source;
    this.#client = this.#connect();
    this.#last = undefined;
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const { connectMs, stallMs } = this.options.camera;
    const startedMs = performance.now();
    const etag = this.#last?.etag;
    const reuseMs = Math.max(stallMs, MIN_SILENT_ANSWERS * this.#answerMs);
    const limits = { openMs: connectMs, reuseMs };
    const answer = await this.#client.get(
      etag === undefined ? {} : { 'if-none-match': etag },
      limits,
      signal,
    );
    const picture = await this.#picture(answer, startedMs);
    if (signal.aborted) return;
    this.#watchPace(performance.now() - startedMs);
    await this.#give(picture, answer);
  }

  /** The picture in the answer, or the previous one if the answer says that it is unchanged. */
  async #picture(answer: Answer, startedMs: number): Promise<StillPicture> {
    const { message, status } = answer;
    if (status === 304) {
      message.resume();
      if (this.#last === undefined) throw statusFault(status);
      return this.#last;
    }
    const { type } = readContentType(message.headers['content-type']);
    const fault = answerFault(answer) ?? (type.startsWith('multipart/') ? isStream(type) : undefined);
    if (fault !== undefined) {
      message.destroy();
      throw fault;
    }
    const { connectMs, stallMs } = this.options.camera;
    const wholeMs = Math.max(1, connectMs - (performance.now() - startedMs));
    const bytes = await readBody(message, { stallMs, wholeMs, toldMs: connectMs });
    const checksum = createHash('md5').update(bytes).digest('hex');
    return (this.#last = { bytes, checksum, etag: message.headers.etag });
  }

  async #give({ bytes, checksum }: StillPicture, { message, sentAt, answeredAt }: Answer): Promise<void> {
    const { clock, onClock, plan, onReady } = this.options;
    if (!this.#isReady) {
      this.#isReady = true;
      onReady?.();
      return;
    }
    const { date, 'last-modified': lastModified } = message.headers;
    const skewMs = this.#clock.skewMs({ date, lastModified, sentAt, answeredAt });
    if (skewMs !== undefined && clock.told(skewMs)) onClock();
    // The camera had the picture before it sent the first byte of the answer.
    const at = Math.floor((sentAt + answeredAt) / 2);
    const sample = plan.accept(at, performance.now());
    const { type } = readContentType(message.headers['content-type']);
    await this.#maker.make({ bytes, checksum, type }, { ...sample, ...clock.captureTime(at) });
  }

  /** Reports a camera that takes longer for a picture than a period. */
  #watchPace(tookMs: number): void {
    const { camera, onTrouble } = this.options;
    this.#answerMs = Math.max(tookMs, 0.9 * this.#answerMs);
    const wasSteady = this.#answersInTime >= STEADY_ANSWERS;
    this.#answersInTime = tookMs > camera.periodMs ? 0 : this.#answersInTime + 1;
    if (this.#answersInTime === 0) onTrouble?.(this.#slowness(tookMs));
    else if (!wasSteady && this.#answersInTime === STEADY_ANSWERS) onTrouble?.(undefined);
  }

  #slowness(tookMs: number): FaultRecord {
    const { source, periodMs } = this.options.camera;
    const [took, period] = [tookMs, periodMs].map((ms) => String(Math.round(ms)));
    return {
      code: 'slow-camera',
      message: `${feedName(source)} took ${took ?? ''} ms for a picture, and one is wanted every ${period ?? ''} ms: some are missed; lower "rate", or set the camera to a smaller picture`,
    };
  }
}

function isStream(type: string): Fault {
  return new Fault(
    'is-a-stream',
    `answers with a stream (${type.replace(/[^\w/+.-]/g, '')}), not with one picture; write "url" in the place of "still" for this camera`,
  );
}
