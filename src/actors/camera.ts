/** The camera actor: keeps one feed open, samples it, and puts every sample into the spool. */
import { performance } from 'node:perf_hooks';
import { backOffMs, type BackOff } from '../clock/back-off';
import { sleep } from '../clock/sleep';
import { secretsOf } from '../config/redact';
import type { Frame, FrameFormat } from '../contract/frame';
import type { CameraState } from '../contract/message';
import type { Verdict } from '../contract/verdict';
import { RecurringFault } from '../log/recurring';
import type { Actor, ActorContext } from '../protocol/actor';
import { faultRecord, type FaultRecord } from '../protocol/fault';
import type { CameraParameters } from '../protocol/messages';
import type { Progress } from '../protocol/progress';
import { Spool } from '../spool/spool';
import { FeedAdaptation } from './camera/adaptation';
import { CameraClock, clockFault } from './camera/camera-clock';
import { captureFeed, type FeedStream } from './camera/capture';
import { LinkDelay } from './camera/clock/link-delay';
import type { Picture } from './camera/decoder';
import { FeedWords } from './camera/feed-words';
import { LostPeriods, type LostRun } from './camera/lost-periods';
import { hasSenderTimes } from './camera/ffmpeg-arguments';
import { RetryLater } from './camera/http/http-fault';
import { PictureJudge } from './camera/picture-judge';
import { SamplePlan, type Sample } from './camera/sample-plan';
import { samplingChoice, type SamplingChoice } from './camera/sampling-choice';

const RECONNECT: BackOff = { firstMs: 500, capMs: 30_000 };
/** Faults of a camera's settings, which do not mend within seconds: the first pause is that of the fifth attempt. */
const LASTING: ReadonlySet<string> = new Set(['redirect', 'unknown-authentication', 'tls-untrusted']);
const LASTING_ATTEMPTS = 4;
/** Samples being encoded or written at most; beyond, the disk or the processor cannot follow and samples are lost. */
const MAX_PENDING = 8;
/** Beyond the camera's own deadlines: only a capture that has lost its way takes longer. */
const STUCK_SLACK_MS = 10_000;
const BASIC_WORDS =
  'asks for the password by Basic, and gets it although nobody verified that it is the camera: who answers in its place, or listens where nothing is encrypted, can read it; set it to Digest, or use its encrypted port with "tls": {"verify": true}';
const UNDECODABLE: FaultRecord = { code: 'undecodable', message: 'it could not be decoded' };

export default function startCamera(context: ActorContext<CameraParameters>): Actor {
  const camera = new CameraActor(context);
  const ended = camera.run();
  return {
    receive: () => undefined,
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
  readonly #plan: SamplePlan;
  readonly #clock: CameraClock;
  readonly #delay: LinkDelay;
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
  readonly #adaptation: FeedAdaptation;
  #handled = 0;
  #kept = 0;

  constructor(private readonly context: ActorContext<CameraParameters>) {
    this.#spool = new Spool(context.parameters.spoolDir);
    const { periodMs, sampling, format, frozenMs, maxDelayMs } = context.parameters.camera;
    this.#judge = new PictureJudge(frozenMs);
    this.#plan = new SamplePlan(periodMs, format === 'keyframe' ? 'keyframes' : sampling);
    const { source } = context.parameters.camera;
    const told = hasSenderTimes(source) || source.kind === 'still';
    this.#clock = new CameraClock(told ? performance.timeOrigin : undefined);
    this.#delay = new LinkDelay(maxDelayMs);
    this.#words = new FeedWords(
      (lines) => {
        context.report({ kind: 'feed-said', lines });
      },
      'url' in source ? secretsOf(source.url) : [],
    );
    this.#adaptation = new FeedAdaptation(context.parameters.camera);
    this.#feedFaults = new RecurringFault(context.log);
    this.#writeFaults = new RecurringFault(context.log);
    this.#decodeFaults = new RecurringFault(context.log);
    this.#clockFaults = new RecurringFault(context.log);
    this.#troubles = new RecurringFault(context.log);
    this.#lossFaults = new RecurringFault(context.log);
  }

  abort(): void {
    this.#stopping.abort();
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
        ...this.#adaptation.facts,
        ...(this.#clock.skewMs === undefined && this.#clock.now.clockUnset === undefined
          ? {}
          : this.#clock.now),
        ...(this.#delay.markedMs === undefined ? {} : { linkDelayMs: this.#delay.markedMs }),
      },
    };
  }

  /** How the feed is sampled, and why. */
  #choice(): SamplingChoice {
    return samplingChoice(this.context.parameters.camera, this.#stream, this.#plan.keyIntervalMs);
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#streamOnce(signal);
      } catch (error) {
        if (this.#adaptation.learn(error)) continue;
        const askedMs = error instanceof RetryLater ? error.retryAfterMs : 0;
        await this.#waitAfter(faultRecord(error, 'failed'), askedMs, signal);
      }
    }
    await this.#pending;
    this.#reportLost(this.#lost.end());
  }

  async #streamOnce(signal: AbortSignal): Promise<void> {
    const { ffmpeg } = this.context.parameters;
    const { camera, learned } = this.#adaptation;
    // It removes what is half-written, which a write of the run before must not be.
    await this.#pending;
    await this.#spool.openCamera(camera.id);
    this.#enter('connecting');
    await captureFeed(
      {
        camera,
        ffmpeg,
        plan: this.#plan,
        clock: this.#clock,
        onClock: () => {
          this.#judgeClock();
        },
        learned,
        delay: this.#delay,
        onStream: (stream) => {
          this.#stream = stream;
          for (const news of this.#adaptation.received()) this.context.log.warn(news);
        },
        onPicture: (picture) => {
          this.#take(picture);
        },
        onLost: (sample, fault = UNDECODABLE) => {
          this.#reportMissed(sample);
          this.#decodeFaults.report({ code: fault.code, message: `a picture was lost: ${fault.message}` });
          this.#lose(sample, fault.code);
        },
        onWords: (text) => {
          this.#words.said(text);
        },
        onBasic: () => {
          this.#warnOfBasic();
        },
        onTrouble: (fault) => {
          this.#trouble(fault);
        },
      },
      signal,
    );
  }

  /** Once: it is the same with every request. */
  #warnOfBasic(): void {
    if (this.#warnedOfBasic) return;
    this.#warnedOfBasic = true;
    this.context.log.warn(BASIC_WORDS, { code: 'password-readable' });
  }

  #judgeClock(): void {
    const { state } = this.#clock;
    const fault = state === 'insane' ? clockFault(this.#clock, Date.now()) : undefined;
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
    const { losses } = this.#adaptation.learned;
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
    const attempt = this.#attempt + (LASTING.has(fault.code) ? LASTING_ATTEMPTS : 0);
    await sleep(Math.max(askedMs, backOffMs(RECONNECT, attempt, Math.random())), signal);
  }

  #take(picture: Picture): void {
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
      await this.#keep({ ...picture, verdict });
      this.#handled++;
      this.#pendingCount--;
    });
  }

  async #keep(picture: Picture & { readonly verdict: Verdict }): Promise<void> {
    const { sample, width, height, verdict } = picture;
    const { capturedAt, sequence, clock, clockSkewMs, clockUnset, linkDelayMs } = sample;
    const { id } = this.context.parameters.camera;
    try {
      const { format, bytes } = await this.#encode(picture);
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

  async #encode(picture: Picture): Promise<{ format: FrameFormat; bytes: Buffer }> {
    const { format, quality } = this.context.parameters.camera;
    if (picture.format !== 'ppm') return { format: picture.format, bytes: picture.bytes };
    // Loaded only by cameras that need it: sharp takes 20 MB.
    const { encodePpm } = await import('./camera/encode');
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
    return (sampling === 'keyframes' || format === 'keyframe') && (this.#plan.keyIntervalMs ?? 0) > periodMs
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
