/** One opening of a feed: receives its packets, has pictures made of those the plan asks for, ends it when it stalls. */
import { performance } from 'node:perf_hooks';
import { sleep } from '../../clock/sleep';
import type { CameraSpec } from '../../config/topology';
import { Fault, type FaultRecord } from '../../protocol/fault';
import { isAnnexB } from './bitstream/nal';
import type { CameraClock } from './camera-clock';
import { CodedPictures } from './coded-pictures';
import type { Picture } from './decoder';
import { firstDeadline, type Seen } from './feed-deadline';
import { crashFault, endFault, feedName, openFault } from './feed-fault';
import {
  hasLengthPrefixes,
  hasSenderTimes,
  isPaced,
  receiverInvocation,
  type PacketForm,
} from './ffmpeg-arguments';
import { FfmpegProcess } from './ffmpeg-process';
import { PacketSplitter, type Packet } from './packet-splitter';
import { PictureMaker } from './picture-maker';
import type { Coded, Decision, Sample, SamplePlan } from './sample-plan';
import { SenderClock } from './sender-clock';

/** How far a packet's time may be from ours before the time of its arrival is used instead. */
const MAX_CLOCK_ERROR_MS = 60_000;

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
  readonly packetForm: PacketForm;
}

/** The packets have another form than was expected: the feed has to be opened again. */
export class OtherForm extends Error {
  constructor(readonly form: PacketForm) {
    super('packets of another form');
  }
}

/**
 * Reads the feed until it ends, fails, stalls or `signal` is aborted. No ffmpeg is left when this settles.
 * @throws Fault that says why the feed ended, {@link OtherForm}; nothing when `signal` was aborted.
 */
export async function captureFeed(options: FeedOptions, signal: AbortSignal): Promise<void> {
  options.plan.reopen();
  options.clock.reopen();
  await new Opening(options).finish(signal);
}

/** A packet's way to a picture. */
interface Way {
  readonly pictures: CodedPictures;
  readonly maker: PictureMaker;
}

class Opening {
  readonly #receiver: FfmpegProcess;
  readonly #splitter = new PacketSplitter();
  readonly #senderClock = new SenderClock();
  readonly #failed: Promise<Error>;
  #failure: Error | undefined;
  #fail!: (failure: Error) => void;
  #way: Way | undefined;
  readonly #seen: Seen = { startedMs: performance.now() };

  constructor(private readonly options: FeedOptions) {
    this.#failed = new Promise((resolve) => {
      this.#fail = (failure) => {
        this.#failure ??= failure;
        resolve(failure);
      };
    });
    const { camera, ffmpeg, packetForm } = options;
    this.#receiver = new FfmpegProcess(
      ffmpeg,
      receiverInvocation(camera, packetForm),
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
    await this.#way?.maker.end();
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
    const arrivedAt = Date.now();
    this.#seen.lastPacketMs = performance.now();
    this.#way ??= this.#begin(packet);
    const { pictures, maker } = this.#way;
    for (const picture of pictures.push(packet))
      maker.take(picture, this.#decide(picture.facts, this.#arrival(picture.packet, arrivedAt)));
    // Behind a clock that was set back ffmpeg's times stand still, until they rise again.
    if (isArrival(packet, arrivedAt)) this.#learnClock(this.#senderClock.saw(packet));
  }

  /** Sampled by arrival, whatever the camera's clock says: a clock that is set makes no gap. */
  #decide(picture: Coded, arrivedAt: number): Decision {
    const { plan, clock } = this.options;
    const decision = plan.decide(arrivedAt, picture, performance.now());
    if (decision.kind !== 'take') return decision;
    return { kind: 'take', sample: { ...decision.sample, ...clock.captureTime(arrivedAt) } };
  }

  #learnClock(skewsMs: readonly number[]): void {
    const { clock, onClock } = this.options;
    for (const skewMs of skewsMs) if (clock.told(skewMs)) onClock();
  }

  #begin(packet: Packet): Way {
    const { header } = this.#splitter;
    const { camera, ffmpeg, packetForm, onStream, onPicture, onLost, onWords } = this.options;
    const filtered = packetForm.lengthPrefixed === header.codec;
    if (!filtered && hasLengthPrefixes(header.codec) && !isAnnexB(packet.bytes))
      throw new OtherForm({ lengthPrefixed: header.codec });
    const pictures = new CodedPictures(header.codec);
    const { reader } = pictures;
    if (
      camera.format === 'keyframe' &&
      packetForm.fieldCoded !== true &&
      reader.fieldOf(packet.bytes) !== undefined
    )
      throw new OtherForm({ fieldCoded: true });
    const maker = new PictureMaker(
      {
        camera,
        ffmpeg,
        reader,
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
    return { pictures, maker };
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
