/**
 * One opening of a feed: receives packets, makes pictures of those the plan wants, and ends when the feed
 * stalls.
 */
import { performance } from 'node:perf_hooks';
import type { Moment } from '../../../clock/machine-clock';
import { sleep } from '../../../clock/sleep';
import { LOOK_MS, Starvation } from '../../../os/starvation';
import type { CameraSpec } from '../../../config/topology';
import { Fault, type FaultRecord } from '../../../fault/fault';
import { isAnnexB } from '../bitstream/nal';
import { FeedTimes } from '../clock/feed-times';
import type { Picture } from '../pictures/decoder';
import { firstDeadline, type Seen } from './deadline';
import { feedName } from '../../../config/feed-name';
import { hasLengthPrefixes } from '../ffmpeg/codecs';
import { FfmpegReceiver, type FfmpegReceiverOptions } from './ffmpeg-receiver';
import type { FeedOptions } from '../feed/options';
import { OtherForm } from '../ffmpeg/stream-form';
import type { Packet, StreamHeader } from '../ffmpeg/packet-splitter';
import { inOrder } from '../pictures/in-order';
import { PictureMaker } from '../pictures/maker';
import type { Receiver, ReceiverEvents } from '../feed/receiver';
import { Rehearsal } from './rehearsal';
import type { Coded } from '../sampling/sample-plan';
import type { Decision } from '../sampling/sample';

/** How long an opening waits for a moment at which it can replace another without a loss. */
const BESIDE_PERIODS = 5;

/**
 * Reads the feed until it ends, fails, stalls or `signal` is aborted. No ffmpeg is left running when this
 * settles.
 * @throws Fault with the reason the feed ended, {@link OtherForm}; nothing if `signal` was aborted.
 */
export async function captureFeed(options: FeedOptions, signal: AbortSignal): Promise<void> {
  options.plan.reopen();
  options.clock.reopen();
  options.delay.reopen();
  // Loaded only by cameras that need it.
  if (options.camera.source.kind === 'still')
    return (await import('../stills/still-feed')).captureStills(options, signal);
  await new Opening(options, signal).finish(signal);
}

/** Over HTTP, the type of the response decides which receiver reads it. */
function openReceiver(options: FfmpegReceiverOptions, events: ReceiverEvents): Receiver {
  const { source } = options.camera;
  if (source.kind !== 'stream' || !/^https?:/.test(source.url)) return new FfmpegReceiver(options, events);
  // Loaded only by cameras that need them: they are a fifth of the code that a camera's process loads.
  /* eslint-disable @typescript-eslint/no-require-imports -- its packets are wanted in this turn of the event loop */
  const { HttpReceiver } = require('./http-receiver') as typeof import('./http-receiver');
  return new HttpReceiver({ ...options, source }, events, (body) => {
    if (body !== undefined) return new FfmpegReceiver({ ...options, body }, events);
    const { HlsReceiver } = require('../hls/hls-receiver') as typeof import('../hls/hls-receiver');
    return new HlsReceiver({ ...options, source }, events);
  });
  /* eslint-enable @typescript-eslint/no-require-imports */
}

class Opening {
  readonly #receiver: Receiver;
  readonly #failed: Promise<Error>;
  #failure: Error | undefined;
  #fail!: (failure: Error) => void;
  #maker: PictureMaker | undefined;
  readonly #times: FeedTimes;
  #codec = '';
  /** Settles when the replaced makers have delivered their pictures. */
  #replaced: Promise<unknown> | undefined;
  readonly #seen: Seen = { startedMs: performance.now() };

  /** Set until the first picture, if another opening is being sampled. */
  #rehearsal: Rehearsal | undefined;
  /** When this opening made its first picture; set until the other opening has been asked to end. */
  #besideSinceMs: number | undefined;

  constructor(
    private readonly options: FeedOptions,
    private readonly signal: AbortSignal,
  ) {
    if (options.onReady !== undefined) this.#rehearsal = new Rehearsal();
    this.#failed = new Promise((resolve) => {
      this.#fail = (failure) => {
        this.#failure ??= failure;
        resolve(failure);
      };
    });
    this.#times = new FeedTimes(options, this.#fail, () => this.#receiver.pid);
    this.#receiver = openReceiver(options, {
      onPacket: (packet, header, agoMs) => this.#receive(packet, header, agoMs),
      onBreak: (header) => this.#beginAnew(header),
      onFault: (error) => this.#fail(this.#named(error)),
      onGivenUp: this.#fail,
      onAnswer: (answer) => {
        this.#seen.answer = answer;
      },
      onStderr: options.onStderr,
      onBasic: options.onBasic,
      onSenderReports: (chunk) => this.#times.reported(chunk),
    });
  }

  /**
   * The next packets may have another size, which needs a keyframe, or another codec, which needs a new
   * maker.
   */
  #beginAnew({ codec }: StreamHeader): void {
    if (this.#maker === undefined) return;
    this.options.plan.reopen();
    if (codec === this.#codec) {
      this.#maker.beginAnew();
      return;
    }
    this.#replaced = Promise.all([this.#replaced, this.#maker.end()]);
    this.#maker = undefined;
  }

  async finish(signal: AbortSignal): Promise<void> {
    const watch = new AbortController();
    const stalled = this.#watchForStall(AbortSignal.any([signal, watch.signal]));
    const ended = this.#receiver.ended.then(() => undefined);
    const fault = await Promise.race([this.#failed, ended, stalled]);
    watch.abort();
    await this.#receiver.end();
    await Promise.all([this.#replaced, this.#maker?.end()]);
    if (!signal.aborted) throw this.#failure ?? fault ?? this.#endFault();
  }

  #receive(packet: Packet, header: StreamHeader, agoMs?: number): void {
    // An opening that was asked to end takes no more samples: another may be sampled in its place.
    if (this.#failure !== undefined || this.signal.aborted) return;
    try {
      this.#take(packet, header, agoMs);
    } catch (error) {
      this.#fail(this.#named(error as Error));
    }
  }

  /** Prefixes a fault with the feed's name, unless the fault is that of the machine's hardware. */
  #named(error: Error): Error {
    if (!(error instanceof Fault) || error.code === 'hwaccel') return error;
    return new Fault(error.code, `${feedName(this.options.camera.source)}: ${error.message}`);
  }

  #take(packet: Packet, header: StreamHeader, agoMs?: number): void {
    this.#seen.lastPacketMs = performance.now();
    const maker = (this.#maker ??= this.#begin(packet, header));
    const now = this.#times.came(packet, header, agoMs);
    for (const picture of maker.pictures.push(packet)) {
      if (picture.facts.key) this.#seen.lastKeyMs = performance.now();
      if (picture.facts.state === 'recovering') this.#seen.refreshes = true;
      maker.take(picture, this.#rehearsal?.decide(picture.facts) ?? this.#decide(picture.facts, now));
    }
    this.#times.learn(packet, now);
  }

  #begin(packet: Packet, header: StreamHeader): PictureMaker {
    const { camera, ffmpeg, learned, onStream, onLost, onStderr } = this.options;
    const present = () => this.options.camera;
    this.#codec = header.codec;
    const filtered = learned.form.lengthPrefixed === header.codec;
    if (!filtered && hasLengthPrefixes(header.codec) && !isAnnexB(packet.bytes))
      throw new OtherForm({ lengthPrefixed: header.codec });
    const maker = new PictureMaker(
      {
        get camera() {
          return present();
        },
        ffmpeg,
        ...inOrder(this.#replaced, {
          onPicture: (picture, madeBy) => this.#show(picture, madeBy),
          onLost: (sample, fault) => {
            if (this.#rehearsal === undefined) onLost(sample, fault);
            else this.#rehearsal = new Rehearsal();
          },
        }),
        onStderr,
        onFault: (fault) => this.#fail(this.#named(fault)),
      },
      header,
    );
    const isField = camera.format === 'keyframe' && maker.pictures.reader.fieldOf(packet.bytes) !== undefined;
    if (isField && learned.form.fieldCoded !== true) throw new OtherForm({ fieldCoded: true });
    onStream({ codec: header.codec, decoded: maker.storedAs === undefined });
    return maker;
  }

  #show(picture: Picture, madeBy: CameraSpec | undefined): void {
    this.#seen.lastPictureMs = performance.now();
    if (this.#rehearsal === undefined) {
      this.options.onPicture(picture, madeBy);
      return;
    }
    this.#rehearsal = undefined;
    this.#besideSinceMs = performance.now();
  }

  #decide(picture: Coded, now: Moment): Decision {
    const { plan, onReady, camera } = this.options;
    const decision = this.#times.decide(picture, now);
    if (this.#besideSinceMs === undefined) return decision;
    const isLate = performance.now() - this.#besideSinceMs > BESIDE_PERIODS * camera.periodMs;
    const sample = decision.kind === 'take' ? decision.sample : undefined;
    if (sample === undefined && !plan.goesOn && !isLate) return decision;
    this.#besideSinceMs = undefined;
    onReady?.(sample);
    return decision;
  }

  /**
   * Resolves with a fault when packets or pictures fail to arrive although our own programs had processor
   * time; with undefined when `signal` is aborted.
   */
  async #watchForStall(signal: AbortSignal): Promise<Fault | undefined> {
    const starvation = new Starvation();
    while (!signal.aborted) {
      const { camera, plan, onStarved } = this.options;
      const { limitMs, sinceMs, fault } = firstDeadline(camera, plan, this.#seen);
      const nowMs = performance.now();
      const unsuspectedMs = sinceMs + limitMs / 2 - nowMs;
      if (unsuspectedMs > 0) {
        starvation.end();
        onStarved?.(0);
        // Checked again after the shortest limit: the first picture sets another limit.
        await sleep(Math.min(unsuspectedMs, camera.stallMs), signal);
        continue;
      }
      // If our programs get no processor time, ending them makes it worse, and the camera is not to blame.
      const isKnown = starvation.look(nowMs);
      const starvedMs = starvation.since(sinceMs);
      onStarved?.(starvedMs);
      const leftMs = sinceMs + limitMs + starvedMs - nowMs;
      if (leftMs <= 0 && isKnown) return Fault.from(this.#silence() ?? fault);
      await sleep(leftMs <= 0 ? LOOK_MS : Math.min(leftMs, LOOK_MS), signal);
    }
    return undefined;
  }

  /** Why no packet has arrived, if the receiver knows. */
  #silence(): FaultRecord | undefined {
    return this.#receiver.silence?.(this.#seen.lastPacketMs !== undefined);
  }

  #endFault(): Error {
    return this.#receiver.endFault(this.#seen.lastPacketMs !== undefined);
  }
}
