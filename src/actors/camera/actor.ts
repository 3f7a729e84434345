/** The camera actor: keeps one feed open, samples it, and puts every sample into the spool. */
import { performance } from 'node:perf_hooks';
import { backOffMs } from '../../clock/back-off';
import { withDeadline } from '../../clock/sleep';
import { secretsOf } from '../../url/redact';
import type { CameraSpec } from '../../config/topology';
import type { Frame, FrameFormat } from '../../contract/frame';
import type { CameraState } from '../../contract/message';
import type { Verdict } from '../../contract/verdict';
import { RecurringFault } from '../../fault/recurring';
import type { Actor, ActorContext } from '../../protocol/actor';
import { faultRecord, type FaultRecord } from '../../fault/fault';
import type { CameraParameters } from '../../protocol/messages';
import type { Progress } from '../../protocol/progress';
import { Spool } from '../../spool/spool';
import { clockFault } from './clock/camera-clock';
import { captureFeed } from './capture/capture';
import type { FeedStream } from './feed/options';
import type { Picture } from './pictures/decoder';
import { Feed } from './capture/feed';
import { FeedWords } from './feed/words';
import { LostPeriods, type LostRun } from './sampling/lost-periods';
import { RetryLater } from './http/http-fault';
import { PictureJudge } from './pictures/judge';
import { sleepUntilBack } from './capture/port-probe';
import type { Sample } from './sampling/sample';
import { samplingChoice, type SamplingChoice } from './sampling/sampling-choice';
import { isOpenedAlike } from './feed/settings';
import { isShapedAlike } from './pictures/shape';
import { Succession, type Predecessor, type Run } from './capture/succession';

/** Longest pause before a failed feed is first opened again, milliseconds. */
const FIRST_RETRY_MS = 500;
/** Faults of a camera's settings, which do not mend within seconds: the first pause is that of the fifth attempt. */
const LASTING: ReadonlySet<string> = new Set(['redirect', 'unknown-authentication', 'tls-untrusted']);
const LASTING_ATTEMPTS = 4;
/** Samples being encoded or written at most; beyond, the disk or the processor cannot follow and samples are lost. */
const MAX_PENDING = 8;
/** Beyond the camera's own deadlines: only a capture that has lost its way takes longer. */
const STUCK_SLACK_MS = 10_000;
/** A shape that no keyframe has brought after so long is brought by opening the feed anew. */
const KEYFRAME_MS = 60_000;
const BASIC_WORDS =
  'asks for the password by Basic, and gets it although nobody verified that it is the camera: who answers in its place, or listens where nothing is encrypted, can read it; set it to Digest, or use its encrypted port with "tls": {"verify": true}';
const UNDECODABLE: FaultRecord = { code: 'undecodable', message: 'it could not be decoded' };

export default function startCamera(context: ActorContext<CameraParameters>): Actor {
  const camera = new CameraActor(context);
  const ended = camera.run();
  return {
    receive: () => undefined,
    changed: () => camera.changed(),
    progress: () => camera.progress(),
    stop: async () => {
      camera.abort();
      await ended;
    },
  };
}

class CameraActor {
  readonly #stopping = new AbortController();
  readonly #spool: Spool;
  readonly #feedFaults: RecurringFault;
  readonly #writeFaults: RecurringFault;
  readonly #decodeFaults: RecurringFault;
  readonly #clockFaults: RecurringFault;
  readonly #troubles: RecurringFault;
  readonly #lossFaults: RecurringFault;
  readonly #lost = new LostPeriods();
  readonly #words: FeedWords;
  readonly #judge: PictureJudge;
  /** Pictures kept that are not healthy, and samples refused, by name. */
  readonly #bad: Partial<Record<Verdict['kind'] | 'lost', number>> = {};
  #pending: Promise<void> = Promise.resolve();
  #pendingCount = 0;
  #state: CameraState['state'] | undefined;
  /** Feeds opened since the last picture. */
  #attempt = 0;
  #warnedOfBasic = false;
  #lastFault: FaultRecord | undefined;
  #stream: FeedStream | undefined;
  #feed: Feed;
  readonly #succession: Succession;
  #periodMs = 0;
  /** Called when pictures are made by the newest settings, or cannot be. */
  #adapted: () => void = () => undefined;
  #handled = 0;
  #kept = 0;

  constructor(private readonly context: ActorContext<CameraParameters>) {
    this.#spool = new Spool(context.parameters.spoolDir, undefined, () => context.parameters.minFreeBytes);
    const { frozenMs } = context.parameters.camera;
    this.#judge = new PictureJudge(frozenMs);
    this.#words = new FeedWords(
      (lines) => {
        context.report({ kind: 'feed-said', lines });
      },
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
      adopt: (feed, sample) => {
        this.#adopt(feed, sample);
      },
    });
    this.#feedFaults = new RecurringFault(context.log);
    this.#writeFaults = new RecurringFault(context.log);
    this.#decodeFaults = new RecurringFault(context.log);
    this.#clockFaults = new RecurringFault(context.log);
    this.#troubles = new RecurringFault(context.log);
    this.#lossFaults = new RecurringFault(context.log);
  }

  abort(): void {
    this.#stopping.abort();
    this.#adapted();
  }

  progress(): Progress {
    const { connectMs, stallMs, periodMs } = this.context.parameters.camera;
    const dueMs = Math.max(connectMs, stallMs, 3 * periodMs) + STUCK_SLACK_MS;
    return {
      done: this.#handled,
      ...(this.#state === 'waiting' ? {} : { dueMs }),
      facts: {
        feed: this.#state ?? 'connecting',
        // Also while it connects again: that may take as long as the pause before.
        ...(this.#attempt > 0 && this.#lastFault !== undefined ? { fault: this.#lastFault.code } : {}),
        frames: this.#kept,
        ...this.#bad,
        ...this.#choice(),
        ...this.#feed.adaptation.facts,
        ...(this.#feed.clock.skewMs === undefined && this.#feed.clock.now.clockUnset === undefined
          ? {}
          : this.#feed.clock.now),
        ...(this.#feed.delay.markedMs === undefined ? {} : { linkDelayMs: this.#feed.delay.markedMs }),
      },
    };
  }

  /** How the feed is sampled, and why. */
  #choice(): SamplingChoice {
    return samplingChoice(this.context.parameters.camera, this.#stream, this.#feed.plan.keyIntervalMs);
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    this.#countByPeriods();
    while (!signal.aborted) {
      try {
        await this.#streamOnce();
      } catch (error) {
        if (this.#feed.adaptation.learn(error)) continue;
        const askedMs = error instanceof RetryLater ? error.retryAfterMs : 0;
        await this.#waitAfter(faultRecord(error, 'failed'), askedMs, signal);
      }
    }
    await this.#pending;
    this.#reportLost(this.#lost.end());
  }

  async #streamOnce(): Promise<void> {
    // It removes what is half-written, which a write of the run before must not be.
    await this.#pending;
    await this.#spool.openCamera(this.context.parameters.camera.id);
    this.#enter('connecting');
    await this.#succession.stream(this.#feed);
  }

  /** The parameters are others: taken over as lightly as can be. Settles with the first picture that is made by them. */
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
    this.#countByPeriods();
    if (this.#state !== 'streaming' || isShapedAlike(before, camera)) this.#adapted();
    if ((await withDeadline(shown, KEYFRAME_MS)) === undefined) this.#succession.renew();
  }

  async #untilAdapted(): Promise<true> {
    this.#adapted();
    return new Promise((resolve) => {
      this.#adapted = () => {
        resolve(true);
      };
    });
  }

  #adopt(feed: Feed, sample?: Sample): void {
    feed.clock.follow(this.#feed.clock);
    this.#feed = feed;
    this.#attempt = 0;
    this.#countByPeriods(sample);
  }

  /** @param sample the first of such a period; else those count that are not over yet */
  #countByPeriods(sample?: Sample): void {
    const { configured, plan } = this.#feed;
    const { id, periodMs } = configured;
    if (this.#periodMs === periodMs) return;
    this.#periodMs = periodMs;
    this.#reportLost(this.#lost.end());
    const present = Math.max(plan.nextSequence ?? 0, Math.floor(Date.now() / periodMs));
    const firstSequence = sample?.sequence ?? present;
    this.context.report({ kind: 'periods', camera: id, periodMs, firstSequence });
  }

  #open(feed: Feed, predecessor?: Predecessor): Run {
    const ending = new AbortController();
    const { adaptation, clock, delay, plan, ffmpeg } = feed;
    const before = predecessor?.run.ended.catch(() => undefined);
    const take = (picture: Picture, madeBy: CameraSpec | undefined) => {
      const isPresent = this.#feed === feed && (madeBy ?? options.camera) === options.camera;
      if (isPresent && !this.#succession.isBusy) this.#adapted();
      this.#take(picture, madeBy ?? options.camera);
    };
    const options = {
      camera: adaptation.camera,
      ...{ ffmpeg, clock, delay, plan, learned: adaptation.learned },
      ...(predecessor === undefined ? {} : { onReady: predecessor.onReady }),
      onClock: () => {
        this.#judgeClock();
      },
      onStream: (stream: FeedStream) => {
        this.#stream = stream;
        for (const news of adaptation.received()) this.context.log.warn(news);
      },
      onPicture: (picture: Picture, madeBy?: CameraSpec) => {
        // Those that the opening before still owes come first.
        if (before === undefined) take(picture, madeBy);
        else
          void before.then(() => {
            take(picture, madeBy);
          });
      },
      onLost: (sample: Sample, fault = UNDECODABLE) => {
        this.#reportMissed(sample);
        this.#decodeFaults.report({ code: fault.code, message: `a picture was lost: ${fault.message}` });
        this.#lose(sample, fault.code);
      },
      onWords: (text: string) => {
        this.#words.said(text);
      },
      onBasic: () => {
        this.#warnOfBasic();
      },
      onTrouble: (fault: FaultRecord | undefined) => {
        this.#trouble(fault);
      },
    };
    const ended = captureFeed(options, AbortSignal.any([this.#stopping.signal, ending.signal]));
    // Of one that ends because another takes its place, nobody asks why.
    ended.catch(() => undefined);
    return {
      ...{ feed, ended },
      end: () => {
        ending.abort();
      },
      takeSettings: () => {
        options.camera = adaptation.camera;
      },
    };
  }

  /** Once: it is the same with every request. */
  #warnOfBasic(): void {
    if (this.#warnedOfBasic) return;
    this.#warnedOfBasic = true;
    this.context.log.warn(BASIC_WORDS, { code: 'password-readable' });
  }

  #judgeClock(): void {
    const { state } = this.#feed.clock;
    const fault = state === 'insane' ? clockFault(this.#feed.clock, Date.now()) : undefined;
    if (fault !== undefined) this.#clockFaults.report(fault);
    if (state === 'sane')
      this.#clockFaults.clear("its clock agrees with this machine's again: capture times are by it");
  }

  /** The feed goes on, but misses periods: why is their reason. */
  #trouble(fault: FaultRecord | undefined): void {
    if (fault === undefined) {
      this.#troubles.clear('pictures come in time again');
      return;
    }
    this.#lastFault = fault;
    this.#troubles.report(fault);
  }

  /** Packets lost over UDP are spoken of once a minute, with their share. */
  #speakOfLosses(): void {
    const { losses } = this.#feed.adaptation.learned;
    const nowMs = performance.now();
    const statement = losses.statement(nowMs);
    if (statement !== undefined) this.#lossFaults.report(statement);
    if (losses.isOver(nowMs)) this.#lossFaults.clear('no UDP packet was lost for a minute');
  }

  /** @param askedMs for how long the camera asked to be left alone */
  async #waitAfter(fault: FaultRecord, askedMs: number, signal: AbortSignal): Promise<void> {
    this.#attempt++;
    this.#lastFault = fault;
    this.#feedFaults.report(fault);
    this.#enter('waiting', fault);
    this.#adapted();
    const attempt = this.#attempt + (LASTING.has(fault.code) ? LASTING_ATTEMPTS : 0);
    const { source, retryMs } = this.context.parameters.camera;
    const backOff = { firstMs: FIRST_RETRY_MS, capMs: retryMs };
    const pauseMs = Math.max(askedMs, backOffMs(backOff, attempt, Math.random()));
    // It may take connections before it has pictures: it is tried as often as one that has just failed.
    const over = AbortSignal.any([signal, this.#succession.wished]);
    if (await sleepUntilBack(source, pauseMs, over)) this.#attempt = 1;
  }

  #take(picture: Picture, madeBy: CameraSpec): void {
    const { sample } = picture;
    this.#attempt = 0;
    this.#speakOfLosses();
    if (this.#state !== 'streaming') {
      this.#enter('streaming');
      this.#feedFaults.clear('pictures arrive again');
    }
    this.#decodeFaults.clear('pictures can be decoded again');
    this.#reportMissed(sample);
    const verdict = this.#judge.judge(picture.evidence, performance.now());
    if (this.#pendingCount >= MAX_PENDING) {
      this.#notKept(sample, {
        code: 'spool-slow',
        message: `${String(MAX_PENDING)} pictures wait to be written already`,
      });
      return;
    }
    this.#pendingCount++;
    // One after the other: frames reach the store in the order they were captured.
    this.#pending = this.#pending.then(async () => {
      await this.#keep({ ...picture, verdict }, madeBy);
      this.#handled++;
      this.#pendingCount--;
    });
  }

  async #keep(picture: Picture & { readonly verdict: Verdict }, madeBy: CameraSpec): Promise<void> {
    const { sample, width, height, verdict } = picture;
    const { capturedAt, sequence, clock, clockSkewMs, clockUnset, linkDelayMs } = sample;
    const { id } = this.context.parameters.camera;
    try {
      const { format, bytes } = await this.#encode(picture, madeBy);
      const frame: Frame = {
        ...{ camera: id, capturedAt, sequence, width, height, format, bytes: bytes.length },
        verdict,
        ...(clock === undefined ? {} : { clock }),
        ...(clockSkewMs === undefined ? {} : { clockSkewMs }),
        ...(clockUnset === undefined ? {} : { clockUnset }),
        ...(linkDelayMs === undefined ? {} : { linkDelayMs }),
      };
      const diskFault = await this.#spool.write(frame, bytes);
      this.#kept++;
      if (verdict.kind !== 'healthy') this.#count(verdict.kind);
      this.context.report({ kind: 'frame', frame });
      this.#reportLost(this.#lost.end());
      if (diskFault === undefined) this.#writeFaults.clear('pictures are kept on disk again');
      else this.#writeFaults.report(diskFault);
    } catch (error) {
      this.#notKept(sample, faultRecord(error, 'spool-write'));
    }
  }

  async #encode(
    picture: Picture,
    { format, quality }: CameraSpec,
  ): Promise<{ format: FrameFormat; bytes: Buffer }> {
    if (picture.format !== 'ppm') return { format: picture.format, bytes: picture.bytes };
    // Loaded only by cameras that need it: sharp takes 20 MB.
    const { encodePpm } = await import('./pictures/encode');
    const wanted = format === 'webp' ? 'webp' : 'png';
    return { format: wanted, bytes: await encodePpm(picture.bytes, wanted, quality) };
  }

  /** Of the disk or the processor, not of the feed. */
  #notKept(sample: Sample, { code, message }: FaultRecord): void {
    this.#writeFaults.report({ code, message: `a picture could not be kept: ${message}` });
    this.#lose(sample, code);
  }

  /** Samples that came to nothing are a gap. */
  #lose({ sequence }: Sample, reason: string): void {
    this.#count('lost');
    this.#reportLost(this.#lost.add(sequence, reason));
  }

  #count(what: Verdict['kind'] | 'lost'): void {
    this.#bad[what] = (this.#bad[what] ?? 0) + 1;
  }

  #reportLost(run: LostRun | undefined): void {
    if (run !== undefined) this.#reportGap(run.firstSequence, run.lastSequence, run.reason);
  }

  #reportMissed({ missed }: Sample): void {
    if (missed === undefined) return;
    this.#reportGap(missed.firstSequence, missed.lastSequence, this.#lastFault?.code ?? this.#silentReason());
    this.#lastFault = undefined;
  }

  /** Why periods had no picture although nothing failed. */
  #silentReason(): string {
    const { sampling, periodMs, format } = this.context.parameters.camera;
    return (sampling === 'keyframes' || format === 'keyframe') &&
      (this.#feed.plan.keyIntervalMs ?? 0) > periodMs
      ? 'keyframe-interval'
      : 'no-picture';
  }

  #reportGap(firstSequence: number, lastSequence: number, reason: string): void {
    const camera = this.context.parameters.camera.id;
    const missed = lastSequence - firstSequence + 1;
    this.context.report({ kind: 'gap', gap: { camera, firstSequence, lastSequence, missed, reason } });
  }

  #enter(state: CameraState['state'], fault?: FaultRecord): void {
    // Opened again at once, with what the last opening has taught, it still connects.
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
