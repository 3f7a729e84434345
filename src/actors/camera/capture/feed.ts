/** State of one source of pictures that outlasts its openings: clock, delays, and what was learned for the next opening. */
import { performance } from 'node:perf_hooks';
import type { CameraSpec, Sampling } from '../../../config/topology';
import type { Numbered } from '../../../protocol/numbered';
import { FeedAdaptation } from './adaptation';
import { CameraClock } from '../clock/camera-clock';
import { LinkDelay } from '../clock/link-delay';
import { hasSenderTimes } from '../ffmpeg/codecs';
import { SamplePlan } from '../sampling/sample-plan';

export interface FeedSettings {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
  /** A picture of the camera that another node has taken: this node continues the numbering from it. */
  readonly continues?: Numbered;
}

export class Feed {
  readonly clock: CameraClock;
  readonly delay: LinkDelay;
  readonly adaptation: FeedAdaptation;
  readonly plan: SamplePlan;

  /** @param before the feed that is sampled until this one replaces it */
  constructor(
    private settings: FeedSettings,
    before?: Feed,
  ) {
    const { source, maxDelayMs } = settings.camera;
    const told = hasSenderTimes(source) || source.kind === 'still';
    this.clock = new CameraClock(told ? performance.timeOrigin : undefined);
    this.delay = new LinkDelay(maxDelayMs);
    this.adaptation = new FeedAdaptation(settings.camera);
    const { periodMs } = settings.camera;
    const sampling = samplingOf(settings.camera);
    this.plan =
      before?.plan.beside(periodMs, sampling) ??
      new SamplePlan(periodMs, sampling, { before: settings.continues });
  }

  get configured(): CameraSpec {
    return this.settings.camera;
  }

  get ffmpeg(): string {
    return this.settings.ffmpeg;
  }

  /** Applies other settings of the same source. */
  change(settings: FeedSettings): void {
    this.settings = settings;
    this.adaptation.configured = settings.camera;
    this.delay.maxDelayMs = settings.camera.maxDelayMs;
    this.plan.change(settings.camera.periodMs, samplingOf(settings.camera));
  }
}

function samplingOf({ format, sampling }: CameraSpec): Sampling {
  return format === 'keyframe' ? 'keyframes' : sampling;
}
