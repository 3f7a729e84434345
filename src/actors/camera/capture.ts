/** One opening of a feed: receives its packets, has pictures made of those the plan asks for, ends it when it stalls. */
import { performance } from 'node:perf_hooks';
import { sleep } from '../../clock/sleep';
import type { CameraSource, CameraSpec } from '../../config/topology';
import { Fault, type FaultRecord } from '../../protocol/fault';
import { isAnnexB } from './annex-b';
import type { CameraClock } from './camera-clock';
import type { Picture } from './decoder';
import { firstDeadline, type Seen } from './feed-deadline';
import { crashFault, endFault, feedName, openFault, redirectionFault } from './feed-fault';
import { hasLengthPrefixes, hasSenderTimes, isPaced, receiverInvocation } from './ffmpeg-arguments';
import { FfmpegProcess } from './ffmpeg-process';
import { PacketSplitter, type Packet } from './packet-splitter';
import { PictureMaker } from './picture-maker';
import { RtspEntrance, type Entry } from './rtsp/entrance';
import type { LossWatch } from './rtsp/loss-watch';
import { ReceiverWords } from './rtsp/receiver-words';
import type { Decision, Sample, SamplePlan } from './sample-plan';
import { SenderClock } from './sender-clock';

/** How far a packet's time may be from ours before the time of its arrival is used instead. */
const MAX_CLOCK_ERROR_MS = 60_000;

/** Redirections that ffmpeg may follow by itself, of a camera that was too slow to be asked. */
const MAX_REDIRECTIONS = 5;

/** A keyframe that comes later was whole: ffmpeg has it when the next picture begins. */
const MAX_BEHIND_LOSS_MS = 250;

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
  readonly onPicture: (picture: Picture) => void;
  /** No picture could be made for a sample; why, unless it could just not be decoded. */
  readonly onLost: (sample: Sample, fault?: FaultRecord) => void;
  /** What the feed turned out to be; told with the first packet of every opening. */
  readonly onStream: (stream: FeedStream) => void;
  /** What its ffmpegs write on standard error; it may hold the URL with its password. */
  readonly onWords: (text: string) => void;
  /** Codec of a feed whose packets were found to have lengths instead of start codes, in an opening before. */
  readonly lengthPrefixed: string | undefined;
  /** Its video begins late: known from an opening before. */
  readonly videoIsLate?: boolean;
  /** Shared by all openings of an RTSP feed. */
  readonly entrance?: RtspEntrance;
  /** Shared too: told of packets lost over UDP. */
  readonly losses?: LossWatch;
  /** The feed is ended with the fault `udp-loss` when losses go on. */
  readonly leavesUdp?: boolean;
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
  options.losses?.reopen();
  await new Opening(options).finish(signal);
}

class Opening {
  readonly #receiver: FfmpegProcess;
  readonly #splitter = new PacketSplitter();
  readonly #senderClock = new SenderClock();
  readonly #words: ReceiverWords;
  readonly #entrance: RtspEntrance;
  readonly #closing = new AbortController();
  readonly #failed: Promise<Error>;
  #entry: Entry | undefined;
  #redirections = 0;
  /** When ffmpeg last missed packets, until the next one it gave. */
  #lostMs: number | undefined;
  readonly #overUdp: boolean;
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
    this.#entrance = options.entrance ?? new RtspEntrance();
    this.#words = new ReceiverWords({
      onError: options.onWords,
      onLoss: (packets) => {
        this.#lose(packets);
      },
      onRedirect: (url) => {
        if (++this.#redirections > MAX_REDIRECTIONS) this.#giveUp(redirectionFault(camera.source, url));
      },
    });
    this.#overUdp = isOverUdp(camera.source);
    this.#receiver = new FfmpegProcess(
      ffmpeg,
      // What it is to open, it is told once the camera was asked: it takes as long to start.
      { ...receiverInvocation(camera, lengthPrefixed), stdin: '' },
      (chunk) => {
        // What it said of the packets before it wrote them is read in this turn of the loop too.
        if (this.#overUdp)
          setImmediate(() => {
            this.#receive(chunk);
          });
        else this.#receive(chunk);
      },
      (text) => {
        this.#words.said(text);
      },
      hasSenderTimes(camera.source)
        ? (chunk) => {
            this.#learnClock(this.#senderClock.push(chunk));
          }
        : undefined,
    );
  }

  async finish(signal: AbortSignal): Promise<void> {
    const closing = AbortSignal.any([signal, this.#closing.signal]);
    const stalled = this.#watchForStall(closing);
    const entered = this.#enter(closing);
    const ended = this.#receiver.exited.then(() => undefined);
    const fault = await Promise.race([this.#failed, ended, stalled]);
    this.#closing.abort();
    await this.#receiver.end();
    await entered;
    this.#entry?.close();
    await this.#maker?.end();
    if (!signal.aborted) throw this.#failure ?? fault ?? this.#endFault();
  }

  /** Asks an RTSP camera, then has ffmpeg open the feed. */
  async #enter(signal: AbortSignal): Promise<void> {
    const { camera, lengthPrefixed, videoIsLate = false } = this.options;
    try {
      this.#entry = await this.#entrance.enter(camera.source, camera.connectMs, signal);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (signal.aborted) return;
    const { url, firstTrackOnly, answer } = this.#entry;
    if (answer !== undefined) this.#seen.answer = answer;
    const { stdin } = receiverInvocation(camera, lengthPrefixed, { url, firstTrackOnly, videoIsLate });
    this.#receiver.write(Buffer.from(stdin));
    this.#receiver.endInput();
  }

  /** ffmpeg said that packets are missing before the next it gives. */
  #lose(packets: number): void {
    const { losses, leavesUdp } = this.options;
    const nowMs = performance.now();
    this.#lostMs = nowMs;
    losses?.lost(packets, nowMs);
    if (leavesUdp === true && losses?.isSustained(nowMs) === true)
      this.#giveUp({ code: 'udp-loss', message: losses.summary() });
  }

  #giveUp({ code, message }: FaultRecord): void {
    this.#fail(new Fault(code, message));
  }

  #receive(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    try {
      for (const packet of this.#splitter.push(chunk)) this.#take(this.#withLoss(packet));
    } catch (error) {
      this.#fail(this.#named(error as Error));
    }
  }

  /** A fault says whose it is; that of the machine's hardware is not the feed's. */
  #named(error: Error): Error {
    if (!(error instanceof Fault) || error.code === 'hwaccel') return error;
    return new Fault(error.code, `${feedName(this.options.camera.source)}: ${error.message}`);
  }

  /** The first packet behind a loss is not whole, or needs one that never came. */
  #withLoss(packet: Packet): Packet {
    if (this.#lostMs === undefined) return packet;
    const passedMs = performance.now() - this.#lostMs;
    this.#lostMs = undefined;
    // Of keyframes alone, what came between is not seen.
    const isBehind = this.options.camera.format !== 'keyframe' || passedMs <= MAX_BEHIND_LOSS_MS;
    return isBehind ? { ...packet, lossBefore: true } : packet;
  }

  #take(packet: Packet): void {
    const arrivedAt = Date.now();
    const nowMs = performance.now();
    this.#seen.lastPacketMs = nowMs;
    if (packet.key) this.#seen.keyframeCame = true;
    this.#entrance.received();
    // Decoding begins with a keyframe: what comes before only shows that something comes.
    if (this.#seen.keyframeCame !== true) return;
    if (this.#overUdp) this.options.losses?.received(packet.bytes.length, nowMs);
    this.#maker ??= this.#begin(packet);
    const at = this.#arrival(packet, arrivedAt);
    this.#maker.take(packet, this.#decide(packet, at));
    // Behind a clock that was set back ffmpeg's times stand still, until they rise again.
    if (isArrival(packet, arrivedAt)) this.#learnClock(this.#senderClock.saw(packet));
  }

  /** Sampled by arrival, whatever the camera's clock says: a clock that is set makes no gap. */
  #decide({ key }: Packet, arrivedAt: number): Decision {
    const { plan, clock } = this.options;
    const decision = plan.decide(arrivedAt, key, performance.now());
    if (decision.kind !== 'take') return decision;
    return { kind: 'take', sample: { ...decision.sample, ...clock.captureTime(arrivedAt) } };
  }

  #learnClock(skewsMs: readonly number[]): void {
    const { clock, onClock } = this.options;
    for (const skewMs of skewsMs) if (clock.told(skewMs)) onClock();
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

  /** The packet's arrival as ffmpeg saw it, which is nearer than ours. */
  #arrival(packet: Packet, arrivedAt: number): number {
    const { pts } = packet;
    if (pts === undefined || isPaced(this.options.camera.source)) return arrivedAt;
    return isArrival(packet, arrivedAt) ? Math.floor(pts) : arrivedAt;
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
    const { spawnError, crash } = this.#receiver;
    const { errors } = this.#words;
    if (spawnError !== undefined)
      return new Fault('ffmpeg', `ffmpeg could not be started: ${spawnError.message}`);
    if (crash !== undefined) return asFault(crashFault(source, crash));
    if (this.#seen.lastPacketMs !== undefined) return asFault(endFault(source, errors));
    return asFault(openFault(source, errors, this.#seen.answer));
  }
}

function isOverUdp(source: CameraSource): boolean {
  return source.kind === 'stream' && hasSenderTimes(source) && source.transport === 'udp';
}

function isArrival({ pts }: Packet, arrivedAt: number): boolean {
  return pts !== undefined && Math.abs(pts - arrivedAt) <= MAX_CLOCK_ERROR_MS;
}

function asFault({ code, message }: FaultRecord): Fault {
  return new Fault(code, message);
}
