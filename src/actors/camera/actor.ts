/** The camera actor: keeps one feed open, follows edits, backs off when it fails, and reports its state. */
import { performance } from 'node:perf_hooks';
import { withDeadline } from '../../clock/sleep';
import { secretsOf } from '../../url/redact';
import type { CameraSpec } from '../../config/topology';
import type { CameraState } from '../../contract/message';
import { startLoop, type Actor, type ActorContext, type ActorLoop } from '../../protocol/actor';
import { faultRecord, type FaultRecord } from '../../fault/fault';
import type { CameraParameters } from '../../protocol/messages';
import type { Progress } from '../../protocol/progress';
import type { FeedStream } from './feed/options';
import type { Picture } from './pictures/decoder';
import { startRun, type RunEvents } from './capture/run';
import { Feed } from './capture/feed';
import { feedFacts } from './feed-facts';
import { FeedTroubles } from './feed-troubles';
import { Gaps, silentReason } from './gaps';
import { Keeper } from './keeper';
import { PeriodNumbers } from './period-numbers';
import { retryPauseMs } from './retry';
import { FeedStderr } from './feed/stderr';
import { RetryLater } from './http/http-fault';
import { PictureJudge } from './pictures/judge';
import { sleepUntilBack } from './capture/port-probe';
import type { Sample } from './sampling/sample';
import { isOpenedAlike } from './feed/settings';
import { isShapedAlike } from './pictures/shape';
import { Succession, type Predecessor, type Run } from './capture/succession';

/** Allowance beyond the camera's own deadlines: only a stuck capture takes longer. */
const STUCK_SLACK_MS = 10_000;
/** If no keyframe has applied a new shape after this time, the feed is reopened. Milliseconds. */
const KEYFRAME_MS = 60_000;
const UNDECODABLE: FaultRecord = { code: 'undecodable', message: 'it could not be decoded' };

export default function startCamera(context: ActorContext<CameraParameters>): Actor {
  return startLoop(new CameraActor(context));
}

class CameraActor implements ActorLoop {
  readonly #stopping = new AbortController();
  readonly #gaps: Gaps;
  readonly #periods: PeriodNumbers;
  readonly #keeper: Keeper;
  readonly #troubles: FeedTroubles;
  readonly #stderr: FeedStderr;
  readonly #judge: PictureJudge;
  #state: CameraState['state'] | undefined;
  /** Feeds opened since the last picture. */
  #attempt = 0;
  #lastFault: FaultRecord | undefined;
  #stream: FeedStream | undefined;
  /** How long the feed's programs waited for a processor since the last picture. */
  #starvedMs = 0;
  #feed: Feed;
  readonly #succession: Succession;
  /** Called when pictures are made with the newest settings, or cannot be. */
  #adapted: () => void = () => undefined;

  constructor(private readonly context: ActorContext<CameraParameters>) {
    this.#gaps = new Gaps(context);
    this.#periods = new PeriodNumbers(context, this.#gaps);
    this.#keeper = new Keeper(context, this.#gaps);
    this.#troubles = new FeedTroubles(context.log);
    const { frozenMs } = context.parameters.camera;
    this.#judge = new PictureJudge(frozenMs);
    this.#stderr = new FeedStderr(
      (lines) => context.report({ kind: 'feed-said', lines }),
      () => {
        const { source } = context.parameters.camera;
        return 'url' in source ? secretsOf(source.url) : [];
      },
    );
    this.#feed = new Feed(context.parameters);
    this.#succession = new Succession({
      open: (feed, predecessor) => this.#open(feed, predecessor),
      isStreaming: () => this.#state === 'streaming',
      makeFeed: () => new Feed(context.parameters, this.#feed),
      adopt: (feed, sample) => this.#adopt(feed, sample),
    });
  }

  receive(): void {
    // No command concerns a camera.
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#adapted();
  }

  progress(): Progress {
    const { connectMs, stallMs, periodMs } = this.context.parameters.camera;
    const dueMs = Math.max(connectMs, stallMs, 3 * periodMs) + STUCK_SLACK_MS + this.#starvedMs;
    return {
      done: this.#keeper.handled,
      dueMs: this.#state === 'waiting' ? undefined : dueMs,
      facts: {
        feed: this.#state ?? 'connecting',
        ...this.#keeper.facts,
        ...feedFacts(this.#feed, this.context.parameters.camera, this.#stream),
      },
    };
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    this.#periods.follow(this.#feed);
    while (!signal.aborted) {
      try {
        await this.#streamOnce();
      } catch (error) {
        if (this.#feed.adaptation.learn(error)) continue;
        const askedMs = error instanceof RetryLater ? error.retryAfterMs : 0;
        await this.#waitAfter(faultRecord(error, 'failed'), askedMs, signal);
      }
    }
    await this.#keeper.settled();
    this.#gaps.end();
  }

  async #streamOnce(): Promise<void> {
    await this.#keeper.open();
    this.#enter('connecting');
    await this.#succession.stream(this.#feed);
  }

  /**
   * Applies changed parameters with the least interruption. Settles with the first picture made with them.
   */
  async changed(): Promise<void> {
    const { camera, ffmpeg } = this.context.parameters;
    const before = this.#feed.configured;
    const shown = this.#untilAdapted();
    this.#judge.frozenMs = camera.frozenMs;
    const isOther = this.#feed.ffmpeg !== ffmpeg || !isOpenedAlike(before, camera);
    if (isOther || this.#succession.isBusy) {
      this.#succession.renew();
      await shown;
      return;
    }
    this.#feed.change({ camera, ffmpeg });
    this.#succession.run?.takeSettings();
    this.#periods.follow(this.#feed);
    if (this.#state !== 'streaming' || isShapedAlike(before, camera)) this.#adapted();
    if ((await withDeadline(shown, KEYFRAME_MS)) === undefined) this.#succession.renew();
  }

  async #untilAdapted(): Promise<true> {
    this.#adapted();
    return new Promise((resolve) => {
      this.#adapted = () => resolve(true);
    });
  }

  #adopt(feed: Feed, sample?: Sample): void {
    feed.clock.follow(this.#feed.clock);
    this.#feed = feed;
    this.#attempt = 0;
    this.#periods.follow(feed, sample);
  }

  #open(feed: Feed, predecessor?: Predecessor): Run {
    const events: RunEvents = {
      onClock: () => this.#troubles.judgeClock(this.#feed.clock),
      onStream: (stream) => {
        this.#stream = stream;
        for (const news of feed.adaptation.received()) this.context.log.warn(news);
      },
      onPicture: (picture, madeBy, isNewest) => {
        if (isNewest && this.#feed === feed && !this.#succession.isBusy) this.#adapted();
        this.#take(picture, madeBy);
      },
      onLost: (sample, fault = UNDECODABLE) => {
        this.#reportMissed(sample);
        this.#troubles.pictureLost(fault);
        this.#keeper.lose(sample, fault.code);
      },
      onStderr: (text) => this.#stderr.push(text),
      onBasic: () => this.#troubles.warnOfBasic(),
      onStarved: (ms) => {
        this.#starvedMs = ms;
      },
      onTrouble: (fault) => {
        // The fault becomes the reason of the periods missed.
        if (fault !== undefined) this.#lastFault = fault;
        this.#troubles.late(fault);
      },
    };
    return startRun(feed, events, this.#stopping.signal, predecessor);
  }

  /** @param askedMs the pause that the camera asked for */
  async #waitAfter(fault: FaultRecord, askedMs: number, signal: AbortSignal): Promise<void> {
    this.#attempt++;
    this.#lastFault = fault;
    this.#troubles.failed(fault);
    this.#enter('waiting', fault);
    this.#adapted();
    const { source, retryMs } = this.context.parameters.camera;
    const pauseMs = Math.max(askedMs, retryPauseMs(fault.code, this.#attempt, retryMs, Math.random()));
    // The camera may accept connections before it has pictures, so it is retried as often as after a fresh
    // failure.
    const over = AbortSignal.any([signal, this.#succession.wished]);
    if (await sleepUntilBack(source, pauseMs, over)) this.#attempt = 1;
  }

  #take(picture: Picture, madeBy: CameraSpec): void {
    const { sample } = picture;
    this.#attempt = 0;
    this.#troubles.judgeLosses(this.#feed.adaptation.learned.losses, performance.now());
    if (this.#state !== 'streaming') {
      this.#enter('streaming');
      this.#troubles.streams();
    }
    this.#troubles.pictureMade();
    this.#reportMissed(sample);
    const verdict = this.#judge.judge(picture.evidence, performance.now());
    this.#keeper.take({ ...picture, verdict }, madeBy);
  }

  #reportMissed({ missed }: Sample): void {
    if (missed === undefined) return;
    const { keyIntervalMs } = this.#feed.plan;
    const reason = this.#lastFault?.code ?? silentReason(this.context.parameters.camera, keyIntervalMs);
    this.#gaps.report(missed, reason);
    this.#lastFault = undefined;
  }

  #enter(state: CameraState['state'], fault?: FaultRecord): void {
    // A feed that is reopened at once, with what the last opening has taught, is still connecting.
    if (state === 'connecting' && this.#state === state) return;
    const camera = this.context.parameters.camera.id;
    this.#state = state;
    this.context.log.debug(`is ${state}`);
    this.context.report({
      kind: 'camera-state',
      state: { camera, state, sinceMs: Date.now(), ...(fault === undefined ? {} : { fault }) },
    });
  }
}
