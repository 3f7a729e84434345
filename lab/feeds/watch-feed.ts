/** Opens one feed as a camera does and notes what comes of it. */
import { CameraClock } from '../../src/actors/camera/clock/camera-clock';
import { FeedAdaptation } from '../../src/actors/camera/capture/adaptation';
import { LinkDelay } from '../../src/actors/camera/clock/link-delay';
import { captureFeed } from '../../src/actors/camera/capture/capture';
import type { FeedStream } from '../../src/actors/camera/feed/options';
import type { Picture } from '../../src/actors/camera/pictures/decoder';
import { PictureJudge } from '../../src/actors/camera/pictures/judge';
import { SamplePlan } from '../../src/actors/camera/sampling/sample-plan';
import type { Sample } from '../../src/actors/camera/sampling/sample';
import type { CameraSource, CameraSpec } from '../../src/config/topology';
import type { Verdict } from '../../src/contract/verdict';
import { Fault, type FaultRecord } from '../../src/fault/fault';
import { cameraSpec } from '../camera-spec';
import { waitUntil } from '../process';

export interface WatchedFeed {
  readonly pictures: (Picture & { readonly verdict: Verdict; readonly at: number })[];
  readonly lost: { readonly sample: Sample; readonly code: string | undefined }[];
  readonly streams: FeedStream[];
  readonly troubles: (FaultRecord | undefined)[];
  readonly clock: CameraClock;
  /** How often a password went to whom nobody verified, as good as readable. */
  readonly basic: () => number;
  /** Why it ended unasked. */
  fault(): Promise<Fault>;
  until(what: string, condition: () => boolean, deadlineMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export function watchFeed(source: CameraSource, changes: Partial<CameraSpec> = {}): WatchedFeed {
  const camera = cameraSpec({ periodMs: 200, ...changes, source });
  const stopping = new AbortController();
  const clock = new CameraClock();
  let basic = 0;
  const judge = new PictureJudge(camera.frozenMs);
  const seen = { pictures: [], lost: [], streams: [], troubles: [] } as Pick<
    WatchedFeed,
    'pictures' | 'lost' | 'streams' | 'troubles'
  >;
  const ended = captureFeed(
    {
      ...{ camera, clock, ffmpeg: 'ffmpeg', plan: new SamplePlan(camera.periodMs, camera.sampling) },
      learned: new FeedAdaptation(camera).learned,
      delay: new LinkDelay(camera.maxDelayMs),
      onPicture: (picture) => {
        const verdict = judge.judge(picture.evidence, performance.now());
        seen.pictures.push({ ...picture, verdict, at: Date.now() });
      },
      onLost: (sample, fault) => seen.lost.push({ sample, code: fault?.code }),
      onStream: (stream) => seen.streams.push(stream),
      onTrouble: (fault) => seen.troubles.push(fault),
      onClock: () => undefined,
      onWords: () => undefined,
      onBasic: () => {
        basic++;
      },
    },
    stopping.signal,
  ).then(
    () => undefined,
    (error: unknown) => error,
  );
  return {
    ...{ ...seen, clock, basic: () => basic },
    fault: async () => {
      const error = await ended;
      if (error instanceof Fault) return error;
      throw new Error(`no fault ended it: ${String(error)}`);
    },
    until: async (what, condition, deadlineMs = 20_000) => {
      const over = ended.then((error) => {
        if (!condition() && !stopping.signal.aborted)
          throw error instanceof Error ? error : new Error('ended');
      });
      await Promise.race([waitUntil(what, condition, deadlineMs), over]);
    },
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
