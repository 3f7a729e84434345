/** One decoding ffmpeg: packets in, wanted pictures out, each with the sample it was wanted for. */
import type { CameraSpec } from '../../config/topology';
import type { FrameFormat } from '../../contract/frame';
import { Fault } from '../../protocol/fault';
import { decodeFault, hardwareFault } from './feed-fault';
import { decoderInvocation } from './ffmpeg-arguments';
import { FfmpegProcess } from './ffmpeg-process';
import { ivfHeader, ivfPacketHeader } from './ivf';
import { PacketSplitter } from './packet-splitter';
import type { Sample } from './sample-plan';

/** A sampled picture, encoded or as PPM where sharp makes the camera's format. */
export interface Picture {
  readonly sample: Sample;
  readonly format: FrameFormat | 'ppm';
  readonly width: number;
  readonly height: number;
  readonly bytes: Buffer;
}

export interface DecoderOutcome {
  readonly onPicture: (picture: Picture) => void;
  /** The packet of this sample could not be decoded. */
  readonly onLost: (sample: Sample) => void;
  /** Called at most once: no more pictures can come. */
  readonly onFault: (fault: Fault) => void;
  /** What it writes on standard error. */
  readonly onWords: (text: string) => void;
}

/** Bytes that wait to be decoded at most: half a minute of a 4K stream. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;
/** Milliseconds a decoder that is replaced may take for the pictures it still owes. */
const FINISH_MS = 2000;

export class Decoder {
  readonly #ffmpeg: FfmpegProcess;
  readonly #splitter = new PacketSplitter();
  readonly #wanted = new Map<number, Sample>();
  #packets = 0;
  #gavePictures = false;
  #ending = false;

  constructor(
    private readonly camera: CameraSpec,
    ffmpeg: string,
    readonly codec: string,
    private readonly outcome: DecoderOutcome,
  ) {
    this.#ffmpeg = new FfmpegProcess(
      ffmpeg,
      decoderInvocation(camera, codec),
      (chunk) => {
        try {
          this.#deliver(chunk);
        } catch (error) {
          this.#ending = true;
          this.#ffmpeg.kill();
          outcome.onFault(error as Fault);
        }
      },
      outcome.onWords,
    );
    this.#ffmpeg.write(ivfHeader());
    void this.#ffmpeg.exited.then(() => {
      this.#lose(Infinity);
      if (!this.#ending) outcome.onFault(this.#exitFault());
    });
  }

  /**
   * Decodes a packet, and gives its picture when there is a sample.
   * @throws Fault `decoder-slow` when too much waits already
   */
  feed(bytes: Buffer, sample?: Sample): void {
    if (this.#ffmpeg.backlogBytes + bytes.length > MAX_BACKLOG_BYTES)
      throw new Fault('decoder-slow', 'the processor cannot decode this feed as fast as it comes');
    const pts = 2 * this.#packets++ + (sample === undefined ? 0 : 1);
    if (sample !== undefined) this.#wanted.set(pts, sample);
    this.#ffmpeg.write(ivfPacketHeader(bytes.length, pts));
    this.#ffmpeg.write(bytes);
  }

  /** Gives the pictures it still owes, then goes. */
  async finish(): Promise<void> {
    this.#ending = true;
    this.#ffmpeg.endInput();
    const timer = setTimeout(() => {
      this.#ffmpeg.kill();
    }, FINISH_MS);
    await this.#ffmpeg.exited;
    clearTimeout(timer);
  }

  /** Goes at once. */
  async abandon(): Promise<void> {
    this.#ending = true;
    this.#ffmpeg.kill();
    await this.#ffmpeg.exited;
  }

  #deliver(chunk: Buffer): void {
    for (const { pts = -1, bytes } of this.#splitter.push(chunk)) {
      const sample = this.#wanted.get(pts);
      if (sample === undefined) continue;
      this.#gavePictures = true;
      this.#wanted.delete(pts);
      this.#lose(pts);
      const { width, height } = this.#splitter.header;
      this.outcome.onPicture({
        sample,
        format: this.camera.format === 'jpeg' ? 'jpeg' : 'ppm',
        width,
        height,
        bytes,
      });
    }
  }

  /** Pictures come in the order of their times: what was wanted before and did not come never will. */
  #lose(before: number): void {
    for (const [pts, sample] of this.#wanted) {
      if (pts > before) continue;
      this.#wanted.delete(pts);
      this.outcome.onLost(sample);
    }
  }

  #exitFault(): Fault {
    const { spawnError, stderr } = this.#ffmpeg;
    if (spawnError !== undefined)
      return new Fault('ffmpeg', `ffmpeg could not be started: ${spawnError.message}`);
    const { hwaccel } = this.camera;
    const isHardware = hwaccel !== undefined && !this.#gavePictures;
    const { code, message } = isHardware ? hardwareFault(hwaccel, stderr) : decodeFault(this.codec, stderr);
    return new Fault(code, message);
  }
}
