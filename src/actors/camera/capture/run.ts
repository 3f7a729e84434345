/**
 * Opens a feed for a succession: its pictures follow those of the previous opening, and it ends on request.
 */
import type { CameraSpec } from '../../../config/topology';
import type { FeedOptions } from '../feed/options';
import type { Picture } from '../pictures/decoder';
import { inOrder } from '../pictures/in-order';
import { captureFeed } from './capture';
import type { Feed } from './feed';
import type { Predecessor, Run } from './succession';

export interface RunEvents extends Pick<
  FeedOptions,
  'onClock' | 'onStream' | 'onLost' | 'onStderr' | 'onBasic' | 'onTrouble' | 'onStarved'
> {
  /** @param isNewest the picture was made with the current settings of the feed */
  readonly onPicture: (picture: Picture, madeBy: CameraSpec, isNewest: boolean) => void;
}

export function startRun(
  feed: Feed,
  { onPicture, onLost, ...events }: RunEvents,
  signal: AbortSignal,
  predecessor?: Predecessor,
): Run {
  const ending = new AbortController();
  const { adaptation, clock, delay, plan, ffmpeg } = feed;
  const options = {
    camera: adaptation.camera,
    ...{ ffmpeg, clock, delay, plan, learned: adaptation.learned },
    onReady: predecessor?.onReady,
    ...events,
    // Pictures the previous opening has yet to deliver come first.
    ...inOrder(predecessor?.run.ended, {
      onPicture: (picture, madeBy = options.camera) => onPicture(picture, madeBy, madeBy === options.camera),
      onLost,
    }),
  };
  const ended = captureFeed(options, AbortSignal.any([signal, ending.signal]));
  // Once another opening has replaced this one, the reason for its end does not matter.
  ended.catch(() => undefined);
  return {
    ...{ feed, ended },
    end: () => ending.abort(),
    takeSettings: () => {
      options.camera = adaptation.camera;
    },
  };
}
