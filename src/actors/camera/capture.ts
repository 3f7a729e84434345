/** One opening of a feed: receives its packets, has pictures made of those the plan asks for, ends it when it stalls. */
import { performance } from 'node:perf_hooks';
import { MachineClock, type Moment } from '../../clock/machine-clock';
import { sleep } from '../../clock/sleep';
import type { CameraSpec } from '../../config/topology';
import { Fault, type FaultRecord } from '../../protocol/fault';
import { isAnnexB } from './annex-b';
import type { CameraClock } from './camera-clock';
import { delayFault } from './clock/delay-words';
import type { DelayNews, LinkDelay } from './clock/link-delay';
import { receiveBacklog } from './clock/receive-backlog';
import type { Picture } from './decoder';
import { firstDeadline, type Seen } from './feed-deadline';
import { crashFault, endFault, feedName, openFault } from './feed-fault';
import { hasLengthPrefixes, hasMediaTimes, hasSenderTimes, receiverInvocation } from './ffmpeg-arguments';
import { FfmpegProcess } from './ffmpeg-process';
import { PacketSplitter, type Packet } from './packet-splitter';
import { PictureMaker } from './picture-maker';
import type { Decision, Sample, SamplePlan } from './sample-plan';
import { SenderClock, type SenderTime } from './sender-clock';

const CLOCK_LOST = "ffmpeg stopped telling the camera's clock; reopening the feed";

/** What a feed turned out to be. */
export interface FeedStream {
  /** ffmpeg's name. */
  readonly codec: string;
  /** Whether its packets have to be decoded. */
  readonly decoded: boolean;
}

export interface FeedOptions {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
  /** Shared by all openings of the feed. */
  readonly plan: SamplePlan;
  /** Shared too. */
  readonly clock: CameraClock;
  /** The camera's clock was found sane or not, and was not before. */
  readonly onClock: () => void;
  /** Shared too. */
  readonly delay: LinkDelay;
  /** Pictures come late, and opening the feed anew does not help; undefined: they come in time again. */
  readonly onDelay: (fault: FaultRecord | undefined) => void;
  readonly onPicture: (picture: Picture) => void;
  /** No picture could be made for a sample; why, unless it could just not be decoded. */
  readonly onLost: (sample: Sample, fault?: FaultRecord) => void;
  /** What the feed turned out to be; told with the first packet of every opening. */
  readonly onStream: (stream: FeedStream) => void;
  /** What its ffmpegs write on standard error; it may hold the URL with its password. */
  readonly onWords: (text: string) => void;
  /** Codec of a feed whose packets were found to have lengths instead of start codes, in an opening before. */
  readonly lengthPrefixed: string | undefined;
}

/** The packets have lengths instead of start codes: the feed has to be opened again with a filter for this codec. */
export class LengthPrefixed extends Error {
  constructor(readonly codec: string) {
    super(`${codec} without start codes`);
  }
}

/**
 * Reads the feed until it ends, fails, stalls or `signal` is aborted. No ffmpeg is left when this settles.
 * @throws Fault that says why the feed ended, {@link LengthPrefixed}; nothing when `signal` was aborted.
 */
export async function captureFeed(options: FeedOptions, signal: AbortSignal): Promise<void> {
  options.plan.reopen();
  options.clock.reopen();
  options.delay.reopen();
  await new Opening(options).finish(signal);
}

class Opening {
  readonly #receiver: FfmpegProcess;
  readonly #splitter = new PacketSplitter();
  readonly #senderClock = new SenderClock();
  readonly #machineClock = new MachineClock();
  readonly #failed: Promise<Error>;
  #failure: Error | undefined;
  #fail!: (failure: Error) => void;
  #maker: PictureMaker | undefined;
  readonly #seen: Seen = { startedMs: performance.now() };

  constructor(private readonly options: FeedOptions) {
    this.#failed = new Promise((resolve) => {
      this.#fail = (failure) => {
        this.#failure ??= failure;
        resolve(failure);
      };
    });
    const { camera, ffmpeg, lengthPrefixed } = options;
    this.#receiver = new FfmpegProcess(
      ffmpeg,
      receiverInvocation(camera, lengthPrefixed),
      (chunk) => {
        this.#receive(chunk);
      },
      options.onWords,
      hasSenderTimes(camera.source)
        ? (chunk) => {
            this.#learnClock(this.#senderClock.push(chunk));
          }
        : undefined,
    );
  }

  async finish(signal: AbortSignal): Promise<void> {
    const watch = new AbortController();
    const stalled = this.#watchForStall(AbortSignal.any([signal, watch.signal]));
    const ended = this.#receiver.exited.then(() => undefined);
    const fault = await Promise.race([this.#failed, ended, stalled]);
    watch.abort();
    await this.#receiver.end();
    await this.#maker?.end();
    if (!signal.aborted) throw this.#failure ?? fault ?? this.#endFault();
  }

  #receive(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    try {
      for (const packet of this.#splitter.push(chunk)) this.#take(packet);
    } catch (error) {
      this.#fail(this.#named(error as Error));
    }
  }

  /** A fault says whose it is; that of the machine's hardware is not the feed's. */
  #named(error: Error): Error {
    if (!(error instanceof Fault) || error.code === 'hwaccel') return error;
    return new Fault(error.code, `${feedName(this.options.camera.source)}: ${error.message}`);
  }

  #take(packet: Packet): void {
    const now = this.#machineClock.now();
    const { clock, delay, onClock } = this.options;
    if (now.setMs !== 0) this.#senderClock.machineSet(now.setMs);
    if (now.setMs !== 0 && clock.machineSet(now.setMs)) onClock();
    this.#seen.lastPacketMs = performance.now();
    this.#maker ??= this.#begin(packet);
    this.#measureDelay(packet, now);
    this.#maker.take(packet, this.#decide(packet, now));
    const keyframe = { dueAt: now.wallMs - delay.exactMs, arrivedMs: now.steadyMs };
    this.#learnClock(this.#senderClock.saw(packet, keyframe));
    if (this.#senderClock.hasStopped && clock.lost()) throw new Fault('clock-lost', CLOCK_LOST);
  }

  /**
   * Sampled by arrival, whatever the camera's clock says: a clock that is set makes no gap. What the link held back counts
   * as if it had not: a burst fills the periods it is of.
   */
  #decide({ key }: Packet, { wallMs, steadyMs }: Moment): Decision {
    const { plan, clock, delay } = this.options;
    const { sustainedMs, exactMs, markedMs } = delay;
    const decision = plan.decide(Math.floor(wallMs - sustainedMs), key, steadyMs - sustainedMs);
    if (decision.kind !== 'take') return decision;
    const late = markedMs === undefined ? {} : { linkDelayMs: markedMs };
    return {
      kind: 'take',
      sample: { ...decision.sample, ...clock.captureTime(wallMs - exactMs), ...late },
    };
  }

  /** @throws Fault `slow-link`, `read-slowly` where the feed is to be opened anew */
  #measureDelay({ pts, bytes }: Packet, { steadyMs }: Moment): void {
    const { camera, delay } = this.options;
    const { unitMs } = this.#splitter.header;
    if (pts === undefined || !hasMediaTimes(camera.source, unitMs)) return;
    const news = delay.came({ mediaMs: pts, arrivedMs: steadyMs, bytes: bytes.length }, unitMs);
    if (news !== undefined) this.#tellDelay(news);
  }

  #tellDelay(news: DelayNews): void {
    const { camera, onDelay } = this.options;
    if (news.kind === 'on-time') {
      onDelay(undefined);
      return;
    }
    const unread = this.#receiver.pid === undefined ? 0 : receiveBacklog(this.#receiver.pid);
    const fault = delayFault(news, feedName(camera.source), camera.format === 'keyframe', unread);
    if (news.kind === 'reopen') this.#fail(asFault(fault));
    else onDelay(fault);
  }

  #learnClock(times: readonly SenderTime[]): void {
    const { clock, onClock, delay } = this.options;
    for (const time of times) {
      delay.told(time);
      if (clock.told(time.skewMs)) onClock();
    }
  }

  #begin(packet: Packet): PictureMaker {
    const { header } = this.#splitter;
    const { camera, ffmpeg, lengthPrefixed, onStream, onPicture, onLost, onWords } = this.options;
    const filtered = lengthPrefixed === header.codec;
    if (!filtered && hasLengthPrefixes(header.codec) && !isAnnexB(packet.bytes))
      throw new LengthPrefixed(header.codec);
    const maker = new PictureMaker(
      {
        camera,
        ffmpeg,
        onLost,
        onWords,
        onPicture: (picture) => {
          this.#seen.lastPictureMs = performance.now();
          onPicture(picture);
        },
        onFault: (fault) => {
          this.#fail(this.#named(fault));
        },
      },
      header,
    );
    onStream({ codec: header.codec, decoded: maker.storedAs === undefined });
    return maker;
  }

  /** Resolves with a fault when packets or pictures stay away; with undefined when `signal` is aborted. */
  async #watchForStall(signal: AbortSignal): Promise<Fault | undefined> {
    while (!signal.aborted) {
      const { camera, plan } = this.options;
      const { limitMs, sinceMs, fault } = firstDeadline(camera, plan, this.#seen);
      const leftMs = sinceMs + limitMs - performance.now();
      if (leftMs <= 0) return asFault(fault);
      // Looked at again after the shortest limit: the first picture sets another.
      await sleep(Math.min(leftMs, camera.stallMs), signal);
    }
    return undefined;
  }

  #endFault(): Error {
    const { source } = this.options.camera;
    const { spawnError, crash, stderr } = this.#receiver;
    if (spawnError !== undefined)
      return new Fault('ffmpeg', `ffmpeg could not be started: ${spawnError.message}`);
    if (crash !== undefined) return asFault(crashFault(source, crash));
    if (this.#seen.lastPacketMs !== undefined) return asFault(endFault(source, stderr));
    return asFault(openFault(source, stderr, performance.now() - this.#seen.startedMs));
  }
}

function asFault({ code, message }: FaultRecord): Fault {
  return new Fault(code, message);
}
