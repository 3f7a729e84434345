/** One ffmpeg that extracts packets from segments whose times and parameters continue each other. */
import { withDeadline } from '../../../clock/sleep';
import type { CameraSpec } from '../../../config/topology';
import { segmentsInvocation } from '../ffmpeg/receiver-arguments';
import { headRotation } from '../ffmpeg/movie-rotation';
import type { StreamForm } from '../ffmpeg/stream-form';
import type { Rotation } from '../ffmpeg/rotation';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process';
import { ReceiverStderr } from '../rtsp/receiver-stderr';
import { PacketSplitter, type Packet, type StreamHeader } from '../ffmpeg/packet-splitter';
import type { LoadedSegment } from './segment-loader';

/** Part of the first segment that is examined for all tracks: with more, ffmpeg would wait for the second. */
const ANALYZED_PART = 0.9;
/** Milliseconds that ffmpeg may take for the rest of its data at the end of its input. */
const FINISH_MS = 2000;

export interface RunOptions {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
  readonly form: StreamForm;
  readonly onPacket: (packet: Packet, header: StreamHeader) => void;
  /** The output is not in ffmpeg's format. */
  readonly onFault: (error: Error) => void;
  /** ffmpeg's standard error. */
  readonly onStderr: (text: string) => void;
}

export class SegmentRun {
  readonly #ffmpeg: FfmpegProcess;
  readonly #splitter = new PacketSplitter();
  readonly #stderr: ReceiverStderr;
  readonly #head: Buffer;
  #packets = 0;
  #header: StreamHeader | undefined;
  #hasEnded = false;
  #hasFailed = false;

  /** @param head initialization section of the first segment. @param durationMs length of that segment */
  constructor(options: RunOptions, { head }: LoadedSegment, durationMs: number) {
    const { camera, ffmpeg, form, onStderr } = options;
    this.#head = head;
    this.#stderr = new ReceiverStderr({
      onError: onStderr,
      onLoss: () => undefined,
      onRedirect: () => undefined,
    });
    this.#ffmpeg = new FfmpegProcess(
      ffmpeg,
      segmentsInvocation(camera, formOf(head, form), ANALYZED_PART * durationMs),
      (chunk) => {
        // ffmpeg's messages about the video, written before it, are read in the same turn of the event loop.
        setImmediate(() => this.#receive(chunk, options));
      },
      (text) => this.#stderr.push(text),
    );
    void this.#ffmpeg.exited.then(() => (this.#hasEnded = true));
    if (head.length > 0) this.#ffmpeg.write(head);
  }

  #receive(chunk: Buffer, { onPacket, onFault }: RunOptions): void {
    if (this.#hasFailed) return;
    try {
      for (const packet of this.#splitter.push(chunk)) {
        this.#packets++;
        this.#header ??= { ...this.#splitter.header, ...this.#rotation() };
        onPacket(packet, this.#header);
      }
    } catch (error) {
      this.#hasFailed = true;
      this.#ffmpeg.kill();
      onFault(error as Error);
    }
  }

  /** ffmpeg reports the angle only. */
  #rotation(): { readonly rotation?: Rotation } {
    const { rotation } = this.#stderr;
    return rotation === undefined ? {} : { rotation: headRotation(this.#head) ?? rotation };
  }

  /** True while no packet has been output. */
  get isBarren(): boolean {
    return this.#packets === 0;
  }

  /** True once ffmpeg has ended, on its own or on request. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get spawnError(): Error | undefined {
    return this.#ffmpeg.spawnError;
  }

  get crash(): NodeJS.Signals | undefined {
    return this.#ffmpeg.crash;
  }

  get stderr(): string {
    return this.#stderr.errors;
  }

  /** Writes a segment to ffmpeg; settles when it has been read. */
  async take({ bytes }: LoadedSegment): Promise<void> {
    await this.#ffmpeg.writeWhole(bytes);
  }

  /** Ends the input; settles when all remaining packets have been output. */
  async finish(): Promise<void> {
    this.#ffmpeg.endInput();
    const finished = this.#ffmpeg.exited.then(() => true);
    if ((await withDeadline(finished, FINISH_MS)) !== true) await this.abandon();
  }

  /** Ends at once. */
  async abandon(): Promise<void> {
    this.#ffmpeg.kill();
    await this.#ffmpeg.exited;
  }
}

/** Fragmented MP4 has lengths instead of start codes; its configuration record names the codec. */
function formOf(head: Buffer, { fieldCoded }: StreamForm): StreamForm {
  const isH264 = head.includes('avcC', 0, 'latin1');
  const lengthPrefixed = isH264 ? 'h264' : head.includes('hvcC', 0, 'latin1') ? 'hevc' : undefined;
  return {
    ...(lengthPrefixed === undefined ? {} : { lengthPrefixed }),
    ...(fieldCoded === undefined ? {} : { fieldCoded }),
  };
}
