/** Opens a feed once, as a camera does, and measures it. */
import { performance } from 'node:perf_hooks';
import type { CameraSpec } from '../../../config/topology';
import { childrenProcessorMs } from '../../../os/children-cost';
import { Fault, faultRecord, type FaultRecord } from '../../../fault/fault';
import { FeedAdaptation } from './adaptation';
import { CameraClock } from '../clock/camera-clock';
import { captureFeed } from './capture';
import type { FeedStream } from '../feed/options';
import { LinkDelay } from '../clock/link-delay';
import type { Picture } from '../pictures/decoder';
import { SamplePlan, type Coded } from '../sampling/sample-plan';
import type { Decision, Sample } from '../sampling/sample';
import { samplingChoice, type SamplingChoice } from '../sampling/sampling-choice';
import { median } from '../clock/median';

export interface FeedMeasurement {
  readonly stream?: FeedStream | undefined;
  /** The first picture. */
  readonly picture?: Picture | undefined;
  /** From the start of the probe. */
  readonly firstPictureMs?: number | undefined;
  /** Undefined until there were two. */
  readonly packetsPerSecond?: number | undefined;
  /** Intervals between the keyframes received. */
  readonly keyframeIntervalsMs: readonly number[];
  /** The camera's clock minus the arrival; undefined when it was not reported. */
  readonly clockOffsetMs?: number | undefined;
  readonly choice: SamplingChoice;
  /** Processor time of the feed's ffmpegs from the second keyframe on, when it is settled what is decoded. */
  readonly cost?: { readonly processorMs: number; readonly overMs: number } | undefined;
  /** How the feed was opened where the probe could choose. */
  readonly transport?: string;
  readonly decoding?: string;
  /** Packets lost over UDP. */
  readonly rtpLost?: number;
  readonly fault?: FaultRecord | undefined;
}

/** Keyframe intervals, and milliseconds from the first packet, after which enough is known. */
const ENOUGH_INTERVALS = 3;
const ENOUGH_MS = 5000;
/**
 * Many servers begin with a burst of the packets since the last keyframe, which does not count for the rate.
 */
const BURST_MS = 1000;
/** Least time allowed for the first picture. */
const MIN_CONNECT_MS = 1000;

/**
 * Reads the feed until enough is known, it fails, `limitMs` have passed or `signal` is aborted. No ffmpeg is
 * left.
 */
export async function probeFeed(
  camera: CameraSpec,
  ffmpeg: string,
  limitMs: number,
  signal: AbortSignal,
): Promise<FeedMeasurement> {
  return new FeedProbe(camera, ffmpeg, limitMs).run(signal);
}

/** A plan that measures every packet before it decides. */
export class MeasuringPlan extends SamplePlan {
  firstAt = 0;
  lastAt = 0;
  keys: number[] = [];
  #packets = 0;
  /** Time of the first packet after the burst, and the number of packets up to it. */
  #settled: { readonly packets: number; readonly at: number } | undefined;

  constructor(
    camera: CameraSpec,
    private readonly onPacket: () => void,
  ) {
    super(camera.periodMs, camera.format === 'keyframe' ? 'keyframes' : camera.sampling);
  }

  override reopen(): void {
    super.reopen();
    this.#packets = 0;
    this.#settled = undefined;
    this.keys = [];
  }

  /** Rate of the packets after the initial burst, over the time they span; undefined until there were two. */
  get packetsPerSecond(): number | undefined {
    const { firstAt, lastAt } = this;
    const settled = this.#settled;
    const isLong = settled !== undefined && lastAt - settled.at >= BURST_MS;
    const { packets, at } = isLong ? settled : { packets: 1, at: firstAt };
    const isKnown = this.#packets > packets && lastAt > at;
    return isKnown ? (1000 * (this.#packets - packets)) / (lastAt - at) : undefined;
  }

  override decide(at: number, picture: Coded, steadyMs: number): Decision {
    this.#count(at, picture.key, steadyMs);
    const decision = super.decide(at, picture, steadyMs);
    this.onPacket();
    return decision;
  }

  override accept(at: number, steadyMs: number): Sample {
    this.#count(at, true, steadyMs);
    const sample = super.accept(at, steadyMs);
    this.onPacket();
    return sample;
  }

  #count(at: number, key: boolean, steadyMs: number): void {
    if (this.#packets++ === 0) this.firstAt = steadyMs;
    this.lastAt = steadyMs;
    if (steadyMs - this.firstAt >= BURST_MS) this.#settled ??= { packets: this.#packets, at: steadyMs };
    if (key) this.keys.push(at);
  }
}

class FeedProbe {
  readonly #startedMs = performance.now();
  readonly #adaptation: FeedAdaptation;
  readonly #plan: MeasuringPlan;
  readonly #clock = new CameraClock();
  readonly #delay: LinkDelay;
  readonly #done = new AbortController();
  #stream: FeedStream | undefined;
  #picture: Picture | undefined;
  #firstPictureMs: number | undefined;
  #costFrom: { readonly processorMs: number; readonly atMs: number } | undefined;
  #cost: FeedMeasurement['cost'];

  constructor(
    private readonly camera: CameraSpec,
    private readonly ffmpeg: string,
    private readonly limitMs: number,
  ) {
    this.#adaptation = new FeedAdaptation(camera);
    this.#delay = new LinkDelay(camera.maxDelayMs);
    this.#plan = new MeasuringPlan(camera, () => this.#look());
  }

  async run(signal: AbortSignal): Promise<FeedMeasurement> {
    const timer = setTimeout(() => {
      if (this.#picture !== undefined) this.#finish();
    }, this.limitMs);
    const fault = await this.#read(AbortSignal.any([signal, this.#done.signal]));
    clearTimeout(timer);
    return this.#measurement(fault ?? this.#interruption());
  }

  /** Opens the feed until another attempt is not worthwhile; returns the fault of the last one. */
  async #read(signal: AbortSignal): Promise<FaultRecord | undefined> {
    while (!signal.aborted) {
      try {
        await this.#open(signal);
      } catch (error) {
        if (!this.#adaptation.learn(error)) return faultRecord(error, 'failed');
      }
    }
    return undefined;
  }

  async #open(signal: AbortSignal): Promise<void> {
    const leftMs = this.limitMs - (performance.now() - this.#startedMs);
    const { camera, learned } = this.#adaptation;
    await captureFeed(
      {
        camera: { ...camera, connectMs: Math.max(MIN_CONNECT_MS, Math.round(leftMs)) },
        ffmpeg: this.ffmpeg,
        plan: this.#plan,
        clock: this.#clock,
        onClock: () => undefined,
        learned,
        delay: this.#delay,
        onStream: (stream) => {
          this.#stream = stream;
          this.#adaptation.received();
        },
        onPicture: (picture) => {
          this.#picture ??= picture;
          this.#firstPictureMs ??= performance.now() - this.#startedMs;
          if (performance.now() - this.#startedMs >= this.limitMs) this.#finish();
        },
        onLost: () => undefined,
        onStderr: () => undefined,
      },
      signal,
    );
  }

  #look(): void {
    const { keys, firstAt, lastAt } = this.#plan;
    if (keys.length >= 2) this.#costFrom ??= costNow();
    const seen = keys.length > ENOUGH_INTERVALS && lastAt - firstAt >= ENOUGH_MS;
    if (seen && this.#picture !== undefined) this.#finish();
  }

  /** Called while the ffmpegs still run, so that their processor time can be read. */
  #finish(): void {
    const [from, to] = [this.#costFrom, costNow()];
    // If an ffmpeg has ended meanwhile, as after a discontinuity of HLS, its processor time is unknown.
    if (from !== undefined && to !== undefined && to.atMs > from.atMs && to.processorMs > from.processorMs)
      this.#cost ??= { processorMs: to.processorMs - from.processorMs, overMs: to.atMs - from.atMs };
    this.#done.abort();
  }

  #interruption(): FaultRecord | undefined {
    return this.#picture === undefined
      ? faultRecord(new Fault('interrupted', 'the probe was ended before a picture came'), 'interrupted')
      : undefined;
  }

  #measurement(fault: FaultRecord | undefined): FeedMeasurement {
    const { packetsPerSecond, keys } = this.#plan;
    const keyframeIntervalsMs = keys.slice(1).map((at, i) => at - (keys[i] ?? at));
    // The median, so that one late keyframe, or one in the initial burst, does not decide.
    const intervalMs = keyframeIntervalsMs.length === 0 ? undefined : median(keyframeIntervalsMs);
    return {
      stream: this.#stream,
      picture: this.#picture,
      firstPictureMs: this.#firstPictureMs,
      packetsPerSecond,
      keyframeIntervalsMs,
      clockOffsetMs: this.#clock.skewMs,
      choice: samplingChoice(this.camera, this.#stream, intervalMs),
      cost: this.#cost,
      ...this.#adaptation.facts,
      fault,
    };
  }
}

function costNow(): { processorMs: number; atMs: number } | undefined {
  const processorMs = childrenProcessorMs();
  return processorMs === undefined ? undefined : { processorMs, atMs: performance.now() };
}
