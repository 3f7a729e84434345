/** One opening of a feed: receives its packets, has pictures made of those the plan asks for, ends it when it stalls. */
import { performance } from 'node:perf_hooks';
import { sleep } from '../../clock/sleep';
import type { CameraSpec } from '../../config/topology';
import { Fault, type FaultRecord } from '../../protocol/fault';
import { isAnnexB } from './annex-b';
import type { CameraClock } from './camera-clock';
import type { Picture } from './decoder';
import { firstDeadline, type Seen } from './feed-deadline';
import { crashFault, endFault, feedName, openFault } from './feed-fault';
import { hasLengthPrefixes, hasSenderTimes, isPaced, receiverInvocation } from './ffmpeg-arguments';
import { FfmpegProcess } from './ffmpeg-process';
import { HlsReceiver } from './hls/hls-receiver';
import { openPlaylist, type OpenedPlaylist } from './hls/open-playlist';
import { PacketSplitter, type Packet, type StreamHeader } from './packet-splitter';
import { PictureMaker } from './picture-maker';
import type { Decision, Sample, SamplePlan } from './sample-plan';
import { SenderClock } from './sender-clock';

/** How far a packet's time may be from ours before the time of its arrival is used instead. */
const MAX_CLOCK_ERROR_MS = 60_000;
/** A coarser unit puts times on its grid, and ahead where more packets come than it has units. */
const MAX_UNIT_MS = 1;

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
  const startedMs = performance.now();
  const playlist = await openPlaylist(options.camera, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    return undefined;
  });
  if (signal.aborted) playlist?.client.close();
  else await new Opening(options, startedMs, playlist).finish(signal);
}

class Opening {
  readonly #receiver: FfmpegProcess | HlsReceiver;
  readonly #splitter = new PacketSplitter();
  readonly #senderClock = new SenderClock();
  readonly #failed: Promise<Error>;
  #failure: Error | undefined;
  #fail!: (failure: Error) => void;
  #maker: PictureMaker | undefined;
  #header: StreamHeader | undefined;
  #replaced: Promise<void>[] = [];
  readonly #seen: Seen;

  /** @param playlist what the feed's URL turned out to be, if so */
  constructor(
    private readonly options: FeedOptions,
    startedMs: number,
    playlist: OpenedPlaylist | undefined,
  ) {
    this.#seen = { startedMs };
    this.#failed = new Promise((resolve) => {
      this.#fail = (failure) => {
        this.#failure ??= failure;
        resolve(failure);
      };
    });
    this.#receiver = playlist === undefined ? this.#startReceiver() : this.#followPlaylist(playlist);
  }

  #startReceiver(): FfmpegProcess {
    const { camera, ffmpeg, lengthPrefixed, onWords } = this.options;
    return new FfmpegProcess(
      ffmpeg,
      receiverInvocation(camera, lengthPrefixed),
      (chunk) => {
        this.#receive(chunk);
      },
      onWords,
      hasSenderTimes(camera.source)
        ? (chunk) => {
            this.#learnClock(this.#senderClock.push(chunk));
          }
        : undefined,
    );
  }

  /** Its packets come when they are due: that is when they count as captured. */
  #followPlaylist(playlist: OpenedPlaylist): HlsReceiver {
    const { camera, ffmpeg, onWords } = this.options;
    return new HlsReceiver(playlist, {
      ...{ camera, ffmpeg, onWords },
      onPacket: (packet, header, at, begins) => {
        this.#guard(() => {
          if (begins) this.#beginAnew(packet, header);
          this.#take(packet, header, at);
        });
      },
    });
  }

  /** What comes does not continue what came before, and may be of another size or codec. */
  #beginAnew({ key }: Packet, { codec }: StreamHeader): void {
    if (this.#maker === undefined) return;
    if (!key) this.options.plan.reopen();
    if (codec === this.#header?.codec && this.#maker.storedAs === undefined) return;
    this.#replaced = [...this.#replaced.slice(-1), this.#maker.end()];
    this.#maker = undefined;
  }

  async finish(signal: AbortSignal): Promise<void> {
    const watch = new AbortController();
    const stalled = this.#watchForStall(AbortSignal.any([signal, watch.signal]));
    const ended = this.#receiver.exited.then(() => undefined);
    const fault = await Promise.race([this.#failed, ended, stalled]);
    watch.abort();
    await this.#receiver.end();
    await Promise.all([...this.#replaced, this.#maker?.end()]);
    if (!signal.aborted) throw this.#failure ?? this.#playlistFault() ?? fault ?? this.#endFault();
  }

  #receive(chunk: Buffer): void {
    this.#guard(() => {
      for (const packet of this.#splitter.push(chunk)) {
        const { header } = this.#splitter;
        this.#take(packet, header, this.#arrival(packet, header, Date.now()));
      }
    });
  }

  #guard(take: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      take();
    } catch (error) {
      this.#fail(this.#named(error as Error));
    }
  }

  /** A fault says whose it is; that of the machine's hardware is not the feed's. */
  #named(error: Error): Error {
    if (!(error instanceof Fault) || error.code === 'hwaccel') return error;
    return new Fault(error.code, `${feedName(this.options.camera.source)}: ${error.message}`);
  }

  #take(packet: Packet, header: StreamHeader, at: number): void {
    this.#seen.lastPacketMs = performance.now();
    this.#maker ??= this.#begin(packet, header);
    this.#maker.take(packet, this.#decide(packet, at));
    // Behind a clock that was set back ffmpeg's times stand still, until they rise again.
    if (isArrival(packet, Date.now())) this.#learnClock(this.#senderClock.saw(packet));
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

  #begin(packet: Packet, header: StreamHeader): PictureMaker {
    this.#header = header;
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

  /** The packet's arrival as ffmpeg saw it, which is nearer than ours, unless its unit of time is too coarse to tell. */
  #arrival(packet: Packet, { unitMs }: StreamHeader, arrivedAt: number): number {
    const { pts } = packet;
    if (pts === undefined || unitMs > MAX_UNIT_MS || isPaced(this.options.camera.source)) return arrivedAt;
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

  /** What a playlist's reader knows of why nothing comes is nearer to the cause than that it does not. */
  #playlistFault(): Error | undefined {
    return this.#receiver instanceof HlsReceiver ? this.#receiver.fault : undefined;
  }

  #endFault(): Error {
    const { source } = this.options.camera;
    if (this.#receiver instanceof HlsReceiver) return asFault(endFault(source, ''));
    const { spawnError, crash, stderr } = this.#receiver;
    if (spawnError !== undefined)
      return new Fault('ffmpeg', `ffmpeg could not be started: ${spawnError.message}`);
    if (crash !== undefined) return asFault(crashFault(source, crash));
    if (this.#seen.lastPacketMs !== undefined) return asFault(endFault(source, stderr));
    return asFault(openFault(source, stderr, performance.now() - this.#seen.startedMs));
  }
}

function isArrival({ pts }: Packet, arrivedAt: number): boolean {
  return pts !== undefined && Math.abs(pts - arrivedAt) <= MAX_CLOCK_ERROR_MS;
}

function asFault({ code, message }: FaultRecord): Fault {
  return new Fault(code, message);
}
