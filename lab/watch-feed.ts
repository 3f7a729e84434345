/** Reads a feed as a camera does, in this process, and notes what came of it. */
import { captureFeed } from '../src/actors/camera/capture/capture';
import { LinkDelay } from '../src/actors/camera/clock/link-delay';
import { CameraClock } from '../src/actors/camera/clock/camera-clock';
import type { Picture } from '../src/actors/camera/pictures/decoder';
import { FeedAdaptation } from '../src/actors/camera/capture/adaptation';
import { SamplePlan } from '../src/actors/camera/sampling/sample-plan';
import type { Decision } from '../src/actors/camera/sampling/sample';
import type { CameraSpec } from '../src/config/topology';
import { cameraSpec } from './camera-spec';

export interface WatchedFeed {
  readonly pictures: readonly (Omit<Picture, 'sample'> & {
    readonly at: number;
    readonly sequence: number;
    readonly seenMs: number;
  })[];
  /** Periods without a picture, between the first and the last. */
  missed(): number;
  /** Of every packet, the time it is sampled by, and when it came, milliseconds since the epoch. */
  readonly packets: readonly { readonly at: number; readonly cameMs: number }[];
  /** Why each opening ended. */
  readonly faults: readonly Error[];
  /** Settles when no ffmpeg is left. */
  end(): Promise<void>;
}

class WatchedPlan extends SamplePlan {
  readonly packets: { readonly at: number; readonly cameMs: number }[] = [];

  override decide(...[at, ...more]: Parameters<SamplePlan['decide']>): Decision {
    this.packets.push({ at, cameMs: Date.now() });
    return super.decide(at, ...more);
  }
}

/** @param reopens whether it is opened again, at once, when it ends */
export function watchFeed(
  url: string,
  changes: Partial<CameraSpec> = {},
  reopens = false,
  ffmpeg = 'ffmpeg',
): WatchedFeed {
  const spec = cameraSpec({ source: { kind: 'stream', url, transport: 'tcp' }, ...changes });
  const adaptation = new FeedAdaptation(spec);
  const plan = new WatchedPlan(spec.periodMs, spec.format === 'keyframe' ? 'keyframes' : spec.sampling);
  const [clock, delay] = [new CameraClock(), new LinkDelay(spec.maxDelayMs)];
  const stopping = new AbortController();
  const [pictures, faults]: [WatchedFeed['pictures'][number][], Error[]] = [[], []];
  const open = async (): Promise<void> => {
    const { camera, learned } = adaptation;
    await captureFeed(
      {
        ...{ camera, ffmpeg, plan, clock, delay, learned },
        onClock: () => undefined,
        onPicture: ({ sample, ...picture }) => {
          pictures.push({ ...picture, at: sample.capturedAt, sequence: sample.sequence, seenMs: Date.now() });
        },
        onLost: () => undefined,
        onStream: () => undefined,
        onWords: () => undefined,
      },
      stopping.signal,
    );
  };
  const ended = (async () => {
    while (!stopping.signal.aborted)
      try {
        await open();
      } catch (error) {
        if (adaptation.learn(error)) continue;
        faults.push(error as Error);
        if (!reopens) return;
      }
  })();
  return {
    pictures,
    packets: plan.packets,
    faults,
    missed: () => {
      const [first, last] = [pictures[0], pictures.at(-1)];
      if (first === undefined || last === undefined) return 0;
      return last.sequence - first.sequence + 1 - new Set(pictures.map(({ sequence }) => sequence)).size;
    },
    end: async () => {
      stopping.abort();
      await ended;
    },
  };
}
