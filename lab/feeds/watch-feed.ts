/** Reads a feed as a camera does, in this process, and notes what came of it. */
import { FeedAdaptation } from '../../src/actors/camera/capture/adaptation';
import { captureFeed } from '../../src/actors/camera/capture/capture';
import { CameraClock } from '../../src/actors/camera/clock/camera-clock';
import { LinkDelay } from '../../src/actors/camera/clock/link-delay';
import type { FeedStream } from '../../src/actors/camera/feed/options';
import type { Picture } from '../../src/actors/camera/pictures/decoder';
import { PictureJudge } from '../../src/actors/camera/pictures/judge';
import type { Decision, Sample } from '../../src/actors/camera/sampling/sample';
import { SamplePlan } from '../../src/actors/camera/sampling/sample-plan';
import type { CameraSource, CameraSpec } from '../../src/config/topology';
import type { Verdict } from '../../src/contract/verdict';
import { Fault, type FaultRecord } from '../../src/fault/fault';
import { cameraSpec } from '../camera-spec';
import { waitUntil } from '../process';

/** The time a packet is sampled by, and when it came, milliseconds since the epoch. */
interface WatchedPacket {
  readonly at: number;
  readonly cameMs: number;
}

export interface WatchedFeed {
  readonly pictures: readonly (Picture & { readonly verdict: Verdict; readonly seenMs: number })[];
  readonly lost: readonly { readonly sample: Sample; readonly code: string | undefined }[];
  readonly streams: readonly FeedStream[];
  readonly troubles: readonly (FaultRecord | undefined)[];
  readonly packets: readonly WatchedPacket[];
  readonly clock: CameraClock;
  /** Why each opening ended unasked. */
  readonly faults: readonly Error[];
  /** How often a password was sent, practically in clear text, to an unverified server. */
  basic(): number;
  /** Periods without a picture, between the first and the last. */
  missed(): number;
  /** The first of the faults; throws when that is none of ours. */
  fault(): Promise<Fault>;
  /** Throws when it ends before the condition holds. */
  until(what: string, condition: () => boolean, deadlineMs?: number): Promise<void>;
  /** Settles when no ffmpeg is left. */
  stop(): Promise<void>;
}

export interface WatchOptions {
  /** Whether it is opened again, at once, when it ends. */
  readonly reopens?: boolean;
  readonly ffmpeg?: string;
}

class WatchedPlan extends SamplePlan {
  readonly packets: WatchedPacket[] = [];

  override decide(...[at, ...more]: Parameters<SamplePlan['decide']>): Decision {
    this.packets.push({ at, cameMs: Date.now() });
    return super.decide(at, ...more);
  }
}

/** @param source what to read; a URL is that of a stream over TCP */
export function watchFeed(
  source: CameraSource | string,
  changes: Partial<CameraSpec> = {},
  { reopens = false, ffmpeg = 'ffmpeg' }: WatchOptions = {},
): WatchedFeed {
  const from = typeof source === 'string' ? { kind: 'stream', url: source, transport: 'tcp' } : source;
  const spec = cameraSpec({ ...changes, source: from as CameraSource });
  const adaptation = new FeedAdaptation(spec);
  const plan = new WatchedPlan(spec.periodMs, spec.format === 'keyframe' ? 'keyframes' : spec.sampling);
  const [clock, delay] = [new CameraClock(), new LinkDelay(spec.maxDelayMs)];
  const judge = new PictureJudge(spec.frozenMs);
  const stopping = new AbortController();
  const pictures: WatchedFeed['pictures'][number][] = [];
  const lost: WatchedFeed['lost'][number][] = [];
  const [streams, troubles, faults]: [FeedStream[], (FaultRecord | undefined)[], Error[]] = [[], [], []];
  let basic = 0;

  const open = async (): Promise<void> => {
    const { camera, learned } = adaptation;
    await captureFeed(
      {
        ...{ camera, ffmpeg, plan, clock, delay, learned },
        onPicture: (picture) => {
          const verdict = judge.judge(picture.evidence, performance.now());
          pictures.push({ ...picture, verdict, seenMs: Date.now() });
        },
        onLost: (sample, fault) => lost.push({ sample, code: fault?.code }),
        onStream: (stream) => streams.push(stream),
        onTrouble: (fault) => troubles.push(fault),
        onClock: () => undefined,
        onStderr: () => undefined,
        onBasic: () => {
          basic++;
        },
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
    ...{ pictures, lost, streams, troubles, faults, clock, packets: plan.packets, basic: () => basic },
    missed: () => {
      const numbers = pictures.map(({ sample }) => sample.sequence);
      const [first = 0, last = -1] = [numbers[0], numbers.at(-1)];
      return last - first + 1 - new Set(numbers).size;
    },
    fault: async () => {
      await ended;
      if (faults[0] instanceof Fault) return faults[0];
      throw new Error(`no fault ended it: ${String(faults[0])}`);
    },
    until: async (what, condition, deadlineMs = 20_000) => {
      const over = ended.then(() => {
        if (!condition() && !stopping.signal.aborted) throw faults[0] ?? new Error('ended');
      });
      await Promise.race([waitUntil(what, condition, deadlineMs), over]);
    },
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
