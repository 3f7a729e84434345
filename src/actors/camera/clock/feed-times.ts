/** When the packets of one opening arrived, how late they were, and when their pictures were captured. */
import { MachineClock, type Moment } from '../../../clock/machine-clock';
import type { CameraSpec } from '../../../config/topology';
import { Fault, type FaultRecord } from '../../../fault/fault';
import type { CameraClock } from './camera-clock';
import { feedName } from '../../../config/feed-name';
import { hasMediaTimes } from '../ffmpeg/codecs';
import type { Packet, StreamHeader } from '../ffmpeg/packet-splitter';
import type { Coded, SamplePlan } from '../sampling/sample-plan';
import type { Decision } from '../sampling/sample';
import { SenderClock, type SenderTime } from './sender-clock';
import { delayFault } from './delay-faults';
import type { DelayNews, LinkDelay } from './link-delay';
import { receiveBacklog } from './receive-backlog';

/**
 * Senders' times are display times. Those of keyframes alone jitter by the pictures that are reordered around
 * each: typically four, at 20 a second.
 */
const REORDERING_MS = 200;

export interface FeedTimesOptions {
  readonly camera: CameraSpec;
  readonly plan: SamplePlan;
  readonly clock: CameraClock;
  readonly delay: LinkDelay;
  /** The verdict on the camera's clock, sane or not, has changed. */
  readonly onClock: () => void;
  /** The feed continues, but with trouble; undefined when the trouble is over. */
  readonly onTrouble?: (fault: FaultRecord | undefined) => void;
}

export class FeedTimes {
  readonly #machineClock = new MachineClock();
  readonly #senderClock = new SenderClock();

  /**
   * @param giveUp called when the feed must be reopened
   * @param receiverPid of the process that reads the feed's connection
   */
  constructor(
    private readonly options: FeedTimesOptions,
    private readonly giveUp: (fault: Fault) => void,
    private readonly receiverPid: () => number | undefined,
  ) {}

  /** A packet arrived, now or that long ago. */
  came(packet: Packet, header: StreamHeader, agoMs = 0): Moment {
    const { clock, onClock } = this.options;
    const now = this.#machineClock.now();
    if (now.setMs !== 0) this.#senderClock.machineSet(now.setMs);
    if (now.setMs !== 0 && clock.machineSet(now.setMs)) onClock();
    this.#measureDelay(packet, header.unitMs, now);
    return { ...now, wallMs: now.wallMs - agoMs, steadyMs: now.steadyMs - agoMs };
  }

  /**
   * Pictures are sampled by arrival, not by the camera's clock, so that setting that clock causes no gap. The
   * link's delay is subtracted, so that a burst fills the periods in which it was sent.
   */
  decide(picture: Coded, { wallMs, steadyMs }: Moment): Decision {
    const { plan, clock, delay } = this.options;
    const { sustainedMs, markedMs } = delay;
    const decision = plan.decide(Math.floor(wallMs - sustainedMs), picture, steadyMs - sustainedMs);
    if (decision.kind !== 'take') return decision;
    const late = markedMs === undefined ? {} : { linkDelayMs: markedMs };
    return {
      kind: 'take',
      sample: { ...decision.sample, ...clock.captureTime(wallMs - this.#lateMs), ...late },
    };
  }

  /** To be called once the packet's pictures are decided on: the packet may carry the sender's clock. */
  learn(packet: Packet, { wallMs, steadyMs }: Moment): void {
    const { camera, clock } = this.options;
    const keyframe = { dueAt: wallMs - this.#lateMs, arrivedMs: steadyMs };
    this.#told(this.#senderClock.saw(packet, keyframe));
    if (!this.#senderClock.hasStopped || !clock.lost()) return;
    const message = `${feedName(camera.source)}: ffmpeg stopped telling the camera's clock; reopening the feed`;
    this.giveUp(new Fault('clock-lost', message));
  }

  /** More of ffmpeg's output about the sender's clock arrived. */
  reported(chunk: Buffer): void {
    this.#told(this.#senderClock.push(chunk));
  }

  /** By how much the newest packet was later than the fastest. */
  get #lateMs(): number {
    const { camera, delay } = this.options;
    return camera.format === 'keyframe' && delay.exactMs <= REORDERING_MS ? 0 : delay.exactMs;
  }

  #measureDelay({ pts, bytes }: Packet, unitMs: number, { steadyMs }: Moment): void {
    const { camera, delay } = this.options;
    if (pts === undefined || !hasMediaTimes(camera.source, unitMs)) return;
    const news = delay.came({ mediaMs: pts, arrivedMs: steadyMs, bytes: bytes.length }, unitMs);
    if (news !== undefined) this.#tell(news);
  }

  #tell(news: DelayNews): void {
    const { camera, onTrouble } = this.options;
    if (news.kind === 'on-time') {
      onTrouble?.(undefined);
      return;
    }
    const pid = this.receiverPid();
    const unread = pid === undefined ? 0 : receiveBacklog(pid);
    const fault = delayFault(news, feedName(camera.source), camera.format === 'keyframe', unread);
    if (news.kind === 'reopen') this.giveUp(Fault.from(fault));
    else onTrouble?.(fault);
  }

  #told(times: readonly SenderTime[]): void {
    const { clock, onClock, delay } = this.options;
    for (const time of times) {
      delay.told(time);
      if (clock.told(time.skewMs)) onClock();
    }
  }
}
