/** Receives a feed with ffmpeg without decoding it. An RTSP camera is queried before ffmpeg opens it. */
import type { Readable } from 'node:stream';
import { performance } from 'node:perf_hooks';
import type { CameraSource, CameraSpec } from '../../../config/topology';
import { Fault, type FaultRecord } from '../../../fault/fault';
import { crashFault, endFault, openFault, redirectionFault } from '../feed/fault';
import { receiverInvocation } from '../ffmpeg/receiver-arguments';
import type { Rotation } from '../ffmpeg/rotation';
import { fileRotation } from './file-rotation';
import { hasSenderTimes } from '../ffmpeg/codecs';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process';
import type { Learned } from '../feed/learned';
import { PacketSplitter, type Packet, type StreamHeader } from '../ffmpeg/packet-splitter';
import type { Receiver, ReceiverEvents } from '../feed/receiver';
import type { Entry } from '../rtsp/entrance';
import { ReceiverStderr } from '../rtsp/receiver-stderr';

/** Redirects that ffmpeg may follow itself, for a camera that was too slow to answer our query. */
const MAX_REDIRECTIONS = 5;
/**
 * A keyframe that arrives this much later than a loss is whole: ffmpeg outputs it when the next picture
 * begins.
 */
const MAX_BEHIND_LOSS_MS = 250;

export interface FfmpegReceiverOptions {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
  readonly learned: Learned;
  /** Input for ffmpeg instead of the feed's URL, if the feed is received over HTTP. */
  readonly body?: Readable;
}

export class FfmpegReceiver implements Receiver {
  readonly #process: FfmpegProcess;
  readonly #splitter = new PacketSplitter();
  readonly #stderr: ReceiverStderr;
  readonly #ending = new AbortController();
  readonly #entered: Promise<void>;
  readonly #overUdp: boolean;
  #header: StreamHeader | undefined;
  #entry: Entry | undefined;
  #redirections = 0;
  /** When ffmpeg received the address to open. */
  #toldMs = -Infinity;
  /** When ffmpeg last missed packets; set until its next packet. */
  #lostMs: number | undefined;
  #failed = false;

  constructor(
    private readonly options: FfmpegReceiverOptions,
    private readonly events: ReceiverEvents,
  ) {
    const { camera, ffmpeg, learned, body } = options;
    this.#overUdp = isOverUdp(camera.source);
    // With RTSP over TCP there are no messages to process first.
    const isHeardFirst = this.#overUdp || !hasSenderTimes(camera.source);
    learned.losses.reopen();
    this.#stderr = new ReceiverStderr({
      onError: events.onStderr,
      onLoss: (packets) => this.#lose(packets),
      onRedirect: (url) => {
        if (++this.#redirections > MAX_REDIRECTIONS) this.#giveUp(redirectionFault(camera.source, url));
      },
    });
    this.#process = new FfmpegProcess(
      ffmpeg,
      // ffmpeg receives the address on standard input, once the camera has been queried: meanwhile it starts.
      { ...receiverInvocation(camera, learned.form), stdin: '' },
      (chunk) => {
        // ffmpeg's messages about these packets, written before them, are read in the same turn of the event loop.
        if (isHeardFirst) setImmediate(() => this.#receive(chunk));
        else this.#receive(chunk);
      },
      (text) => this.#stderr.push(text),
      hasSenderTimes(camera.source) ? { onBytes: events.onSenderReports } : body && { input: body },
    );
    this.#entered = this.#enter();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get ended(): Promise<void> {
    return this.#process.exited;
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#process.end();
    await this.#entered;
    this.#entry?.close();
  }

  endFault(hadPackets: boolean): Fault {
    return Fault.from(this.#whyEnded(hadPackets));
  }

  #whyEnded(hadPackets: boolean): FaultRecord {
    const { source } = this.options.camera;
    const { spawnError, crash } = this.#process;
    const { errors } = this.#stderr;
    if (spawnError !== undefined)
      return { code: 'ffmpeg', message: `ffmpeg could not be started: ${spawnError.message}` };
    if (crash !== undefined) return crashFault(source, crash);
    if (hadPackets) return endFault(source, errors);
    return openFault(source, errors, { answer: this.#entry?.answer, cut: this.#wasCut() });
  }

  /** True if ffmpeg ended long before its analysis time was over: there was nothing more to examine. */
  #wasCut(): boolean {
    const { camera, learned } = this.options;
    const isLookedAtLong = learned.form.videoIsLate === true;
    return isLookedAtLong && performance.now() - this.#toldMs < camera.connectMs / 2;
  }

  /** Queries an RTSP camera, then has ffmpeg open the feed. */
  async #enter(): Promise<void> {
    const { camera, learned } = this.options;
    const { signal } = this.#ending;
    try {
      this.#entry = await learned.entrance.enter(
        camera.source,
        camera.connectMs,
        signal,
        this.events.onBasic,
      );
    } catch (error) {
      if (!signal.aborted) this.events.onGivenUp(error as Error);
      return;
    }
    if (signal.aborted) return;
    const { url, firstTrackOnly, answer } = this.#entry;
    if (answer !== undefined) this.events.onAnswer(answer);
    const { stdin } = receiverInvocation(camera, learned.form, { url, firstTrackOnly });
    this.#toldMs = performance.now();
    this.#process.write(Buffer.from(stdin));
    this.#process.endInput();
  }

  /** ffmpeg reports the angle only. */
  #rotation(): { readonly rotation?: Rotation } {
    const { source } = this.options.camera;
    const { rotation } = this.#stderr;
    if (rotation === undefined) return {};
    return { rotation: (source.kind === 'file' ? fileRotation(source.path) : undefined) ?? rotation };
  }

  /** ffmpeg reported that packets are missing before the next one it outputs. */
  #lose(packets: number): void {
    const { losses, leavesUdp } = this.options.learned;
    const nowMs = performance.now();
    this.#lostMs = nowMs;
    losses.lost(packets, nowMs);
    if (leavesUdp && losses.isSustained(nowMs)) this.#giveUp({ code: 'udp-loss', message: losses.summary() });
  }

  #giveUp(fault: FaultRecord): void {
    this.events.onGivenUp(Fault.from(fault));
  }

  #receive(chunk: Buffer): void {
    if (this.#failed) return;
    try {
      for (const packet of this.#splitter.push(chunk)) this.#give(this.#withLoss(packet));
    } catch (error) {
      this.#failed = true;
      this.events.onFault(error as Error);
    }
  }

  /** Marks the first packet after a loss: it is incomplete, or depends on one that never arrived. */
  #withLoss(packet: Packet): Packet {
    if (this.#lostMs === undefined) return packet;
    const passedMs = performance.now() - this.#lostMs;
    this.#lostMs = undefined;
    // If only keyframes are requested, packets in between are not seen.
    const isBehind = this.options.camera.format !== 'keyframe' || passedMs <= MAX_BEHIND_LOSS_MS;
    return isBehind ? { ...packet, lossBefore: true } : packet;
  }

  #give(packet: Packet): void {
    const { entrance, losses } = this.options.learned;
    entrance.received();
    if (this.#overUdp) losses.received(packet.bytes.length, performance.now());
    this.#header ??= { ...this.#splitter.header, ...this.#rotation() };
    this.events.onPacket(packet, this.#header);
  }
}

function isOverUdp(source: CameraSource): boolean {
  return source.kind === 'stream' && hasSenderTimes(source) && source.transport === 'udp';
}
