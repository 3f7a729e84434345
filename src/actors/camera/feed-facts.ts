/** What an operator sees of a feed: how it is sampled and opened, its clock and its delay. */
import type { CameraSpec } from '../../config/topology';
import type { Progress } from '../../protocol/progress';
import type { Feed } from './capture/feed';
import type { FeedStream } from './feed/options';
import { samplingChoice } from './sampling/sampling-choice';

/** @param stream the detected properties of the feed; undefined until its first packet */
export function feedFacts(
  { plan, adaptation, clock, delay }: Feed,
  camera: CameraSpec,
  stream: FeedStream | undefined,
): Progress['facts'] {
  return {
    ...samplingChoice(camera, stream, plan.keyIntervalMs),
    ...adaptation.facts,
    ...(clock.skewMs === undefined && clock.now.clockUnset === undefined ? {} : clock.now),
    ...(delay.markedMs === undefined ? {} : { linkDelayMs: delay.markedMs }),
  };
}
