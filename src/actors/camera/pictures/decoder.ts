/** One decoding ffmpeg: packets in, wanted pictures out, each with the sample it was wanted for. */
import type { CameraSpec } from '../../../config/topology';
import type { FrameFormat } from '../../../contract/frame';
import { LineSplitter } from '../../../os/line-splitter';
import { Fault, type FaultRecord } from '../../../fault/fault';
import { lastOf } from '../../../url/redact';
import { Complaints } from './complaints';
import type { Damage } from './damage';
import { asError, isHarmless } from './decoder-stderr';
import { decodeFault, hardwareFault } from './decoder-fault';
import { decoderInvocation } from './decoder-arguments';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process';
import { ivfHeader, ivfPacketHeader } from '../ffmpeg/ivf';
import { PacketSplitter, type Packet, type StreamHeader } from '../ffmpeg/packet-splitter';
import type { Evidence } from './judge';
import type { PictureLook } from './look';
import type { Rotation } from '../ffmpeg/rotation';
import type { Sample } from '../sampling/sample';

/** Pixels. */
export type PictureSize = Pick<StreamHeader, 'width' | 'height'>;

/** A sampled picture, already encoded, or a PPM if sharp makes the camera's format. */
export interface Picture {
  readonly sample: Sample;
  readonly format: FrameFormat | 'ppm';
  readonly width: number;
  readonly height: number;
  /** The size as the camera sent it. */
  readonly source: PictureSize;
  /** The turn that is still to be applied; absent if none. */
  readonly rotation?: Rotation;
  readonly bytes: Buffer;
  /** The evidence by which it is judged. */
  readonly evidence: Evidence;
}

export interface DecoderOutcome {
  /** @param madeBy the settings the picture was made with, if they may be older than the current ones */
  readonly onPicture: (picture: Picture, madeBy?: CameraSpec) => void;
  /**
   * No picture can be made for this sample; the fault is absent if its packet merely could not be decoded.
   */
  readonly onLost: (sample: Sample, fault?: FaultRecord) => void;
  /** Called at most once: no more pictures can come. */
  readonly onFault: (fault: Fault) => void;
  /** The decoder's standard error. */
  readonly onStderr: (text: string) => void;
}

/** Most bytes that may wait to be decoded: half a minute of a 4K stream. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;
/** Milliseconds a replaced decoder may take for its pending pictures. */
const FINISH_MS = 2000;
/** Milliseconds. The thumbnail and all messages are written before a picture is encoded: only a busy machine delays them. */
const THUMBNAIL_WAIT_MS = 1000;
/** Characters kept of the decoder's errors: the newest. */
const MAX_ERROR_CHARS = 8000;
/** Limit of an unfinished line; ffmpeg's lines are shorter. */
const MAX_LINE_CHARS = 1000;

export interface DecoderOptions {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
  /** ffmpeg's name of the codec. */
  readonly codec: string;
  readonly look: PictureLook;
}

/** A packet as the decoder accepts it. */
export interface DecoderInput {
  readonly bytes: Buffer;
  readonly size: PictureSize;
  /** From this packet on, earlier damage is no longer visible. */
  readonly renews: boolean;
  /** A sign that the packet was damaged on the way, or is incomplete. */
  readonly damage?: Damage | undefined;
  /** The packet's data were not examined for damage that the decoder does not report. */
  readonly isUnchecked?: boolean;
}

interface WantedPicture {
  readonly sample: Sample;
  readonly source: PictureSize;
}

interface MadePicture {
  readonly packet: Packet;
  readonly header: StreamHeader;
}

export class Decoder {
  readonly #ffmpeg: FfmpegProcess;
  readonly #splitter = new PacketSplitter();
  readonly #side = new PacketSplitter();
  /** Pictures that wait for their thumbnails. */
  readonly #made: MadePicture[] = [];
  readonly #thumbnails = new Map<number, Buffer>();
  readonly #wanted = new Map<number, WantedPicture>();
  readonly #complaints: Complaints;
  #errors = '';
  /** A picture arrived without being named: this ffmpeg does not name pictures. */
  #isSilent = false;
  readonly #lines = new LineSplitter(MAX_LINE_CHARS);
  #packets = 0;
  #gavePictures = false;
  #ending = false;

  constructor(
    private readonly options: DecoderOptions,
    private readonly outcome: DecoderOutcome,
  ) {
    const { camera, ffmpeg, codec, look } = options;
    this.#complaints = new Complaints(codec === 'hevc' && camera.hwaccel === undefined);
    this.#ffmpeg = new FfmpegProcess(
      ffmpeg,
      decoderInvocation(camera, codec, look),
      (chunk) => {
        // Data written earlier to the other pipes are read in the same turn of the event loop.
        setImmediate(() => this.#guard(() => this.#deliver(chunk)));
      },
      (text) => this.#hear(text),
      {
        onBytes: (chunk) =>
          this.#guard(() => {
            for (const { pts = -1, bytes } of this.#side.push(chunk))
              if (this.#wanted.has(pts)) this.#thumbnails.set(pts, bytes);
            this.#giveMade();
          }),
      },
    );
    this.#ffmpeg.write(ivfHeader());
    void this.#ffmpeg.exited.then(() => {
      this.#giveMade(Infinity);
      this.#lose(Infinity);
      if (!this.#ending) outcome.onFault(this.#exitFault());
    });
  }

  /**
   * Decodes a packet, and delivers its picture if there is a sample.
   * @throws Fault `decoder-slow` if too much data already wait
   */
  feed({ bytes, size, renews, damage, isUnchecked = false }: DecoderInput, sample?: Sample): void {
    if (this.#ffmpeg.backlogBytes + bytes.length > MAX_BACKLOG_BYTES)
      throw new Fault('decoder-slow', 'the processor cannot decode this feed as fast as it comes');
    const pts = 2 * this.#packets++ + (sample === undefined ? 0 : 1);
    this.#complaints.fed(pts, { renews, damage, isUnchecked });
    if (sample !== undefined) this.#wanted.set(pts, { sample, source: size });
    this.#ffmpeg.write(ivfPacketHeader(bytes.length, pts));
    this.#ffmpeg.write(bytes);
  }

  /** Delivers the pending pictures, then ends. */
  async finish(): Promise<void> {
    this.#ending = true;
    // Without input there are no pictures to wait for, only complaints.
    if (this.#packets === 0) this.#ffmpeg.kill();
    else this.#ffmpeg.endInput();
    const timer = setTimeout(() => this.#ffmpeg.kill(), FINISH_MS);
    await this.#ffmpeg.exited;
    clearTimeout(timer);
  }

  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#ending = true;
      this.#ffmpeg.kill();
      this.outcome.onFault(error as Fault);
    }
  }

  #hear(text: string): void {
    for (const line of this.#lines.push(text)) {
      this.#complaints.hear(line);
      const said = asError(line);
      if (said === undefined) continue;
      this.#errors = lastOf(`${this.#errors}${said}\n`, MAX_ERROR_CHARS);
      if (!isHarmless(line)) this.outcome.onStderr(`${said}\n`);
    }
    this.#giveMade();
  }

  #deliver(chunk: Buffer): void {
    for (const packet of this.#splitter.push(chunk))
      if (this.#wanted.has(packet.pts ?? -1)) this.#made.push({ packet, header: this.#splitter.header });
    this.#giveMade();
    const newest = this.#made.at(-1)?.packet.pts;
    if (newest !== undefined && !this.#ending)
      setTimeout(() => this.#giveMade(newest), THUMBNAIL_WAIT_MS).unref();
  }

  /**
   * Delivers the pictures whose thumbnails and messages are there, and those up to time `before` without
   * them.
   */
  #giveMade(before = -1): void {
    for (let [next] = this.#made; next !== undefined; [next] = this.#made) {
      const pts = next.packet.pts ?? -1;
      const isJudged = this.#isSilent || this.#complaints.isJudged(pts);
      if (pts > before && !(isJudged && this.#thumbnails.has(pts))) return;
      this.#isSilent ||= !isJudged && !this.#complaints.namesPictures;
      this.#made.shift();
      this.#give(pts, next);
    }
  }

  #give(pts: number, { packet: { bytes, checksum }, header: { width, height } }: MadePicture): void {
    const wanted = this.#wanted.get(pts);
    if (wanted === undefined) return;
    this.#gavePictures = true;
    const evidence = {
      thumbnail: this.#thumbnails.get(pts),
      fingerprint: `${bytes.length}-${checksum}`,
      ...this.#complaints.take(pts),
    };
    this.#forget(pts);
    this.#lose(pts);
    const { camera } = this.options;
    const format = camera.format === 'jpeg' ? 'jpeg' : 'ppm';
    this.outcome.onPicture({ ...wanted, format, width, height, bytes, evidence }, camera);
  }

  /** Reports wanted pictures up to this time as lost: the decoder outputs pictures in order of time. */
  #lose(before: number): void {
    for (const [pts, { sample }] of this.#wanted) {
      if (pts > before) continue;
      this.#forget(pts);
      this.outcome.onLost(sample);
    }
  }

  #forget(pts: number): void {
    this.#wanted.delete(pts);
    this.#thumbnails.delete(pts);
  }

  #exitFault(): Fault {
    const { spawnError } = this.#ffmpeg;
    if (spawnError !== undefined)
      return new Fault('ffmpeg', `ffmpeg could not be started: ${spawnError.message}`);
    const said = this.#errors + (asError(this.#lines.rest) ?? '');
    const { camera, codec } = this.options;
    const { hwaccel } = camera;
    const isHardware = hwaccel !== undefined && !this.#gavePictures;
    return Fault.from(isHardware ? hardwareFault(hwaccel, said) : decodeFault(codec, said));
  }
}
