/** Makes pictures of packets as the plan decides: handed through, decoded, or not looked at. */
import type { CameraSpec } from '../../config/topology';
import type { FrameFormat } from '../../contract/frame';
import { Fault } from '../../protocol/fault';
import { sequenceParameters } from './annex-b';
import { Decoder, type DecoderOutcome } from './decoder';
import { formatOfCodec } from './ffmpeg-arguments';
import type { Packet, StreamHeader } from './packet-splitter';
import type { Decision, Sample } from './sample-plan';

/** What is held for a picture that may need it; beyond, it is decoded at once. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

export interface PictureMakerOptions extends DecoderOutcome {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
}

export class PictureMaker {
  /** The format its packets are stored in as they are; undefined when they have to be decoded. */
  readonly storedAs: FrameFormat | 'ppm' | undefined;
  #decoder: Decoder | undefined;
  #replaced: Promise<void>[] = [];
  #parameters = Buffer.alloc(0);
  /** Packets since the newest keyframe that were not decoded, but may have to be. */
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** @throws Fault `unsupported-codec` when keyframes are wanted and there is no format for them */
  constructor(
    private readonly options: PictureMakerOptions,
    private readonly header: StreamHeader,
  ) {
    this.storedAs = storedFormat(options.camera, header.codec);
    // Before its first keyframe: it takes as long to start as many a feed to send one.
    if (this.storedAs === undefined) this.#decoder = this.#startDecoder();
  }

  /** @throws Fault `decoder-slow`, `new-resolution` */
  take(packet: Packet, decision: Decision): void {
    const sample = decision.kind === 'take' ? decision.sample : undefined;
    if (this.storedAs !== undefined) {
      if (sample !== undefined) this.#handThrough(packet.bytes, sample, this.storedAs);
      return;
    }
    if (packet.key) this.#beginGroup(packet.bytes);
    if (decision.kind === 'skip') return;
    this.#held.push(packet.bytes);
    this.#heldBytes += packet.bytes.length;
    if (decision.kind === 'hold' && this.#heldBytes <= MAX_HELD_BYTES) return;
    const last = this.#held.pop() ?? packet.bytes;
    for (const bytes of this.#held) this.#decoder?.feed(bytes);
    this.#decoder?.feed(last, sample);
    this.#release();
  }

  /** Settles when no decoder is left; those still at work may finish their pictures. */
  async end(): Promise<void> {
    await Promise.all([...this.#replaced, this.#decoder?.finish()]);
  }

  #handThrough(bytes: Buffer, sample: Sample, format: FrameFormat | 'ppm'): void {
    const { width, height } = this.header;
    // The size is that of the parameters the feed began with.
    if (this.#hasNewParameters(bytes))
      throw new Fault('new-resolution', 'its video has other parameters now and is opened anew');
    this.options.onPicture({ sample, format, bytes, width, height });
  }

  /** Nothing before a keyframe is needed behind it. New sequence parameters need a new decoder: ffmpeg would keep to the old size. */
  #beginGroup(keyframe: Buffer): void {
    this.#release();
    if (!this.#hasNewParameters(keyframe) || this.#decoder === undefined) return;
    this.#replaced = [this.#decoder.finish()];
    this.#decoder = this.#startDecoder();
  }

  /** True when they differ from those before; the first are remembered. */
  #hasNewParameters(keyframe: Buffer): boolean {
    const parameters = sequenceParameters(this.header.codec, keyframe);
    if (parameters.length === 0 || parameters.equals(this.#parameters)) return false;
    const first = this.#parameters.length === 0;
    this.#parameters = Buffer.from(parameters);
    return !first;
  }

  #release(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }

  #startDecoder(): Decoder {
    const { camera, ffmpeg } = this.options;
    return new Decoder(camera, ffmpeg, this.header.codec, this.options);
  }
}

function storedFormat({ source, format, width }: CameraSpec, codec: string): FrameFormat | 'ppm' | undefined {
  const own = formatOfCodec(codec);
  // A synthetic picture has its size from its generator.
  if (source.kind === 'test') return own;
  if (format !== 'keyframe' && codec !== 'png')
    return own === format && width === undefined ? own : undefined;
  if (own !== undefined) return own;
  // PNG because its decoder adds a picture to the one before, unless its packet is marked as a keyframe, which IVF cannot.
  throw new Fault(
    'unsupported-codec',
    `its ${codec} video cannot be used for "${format}" pictures; set the camera to H.264, H.265 or MJPEG`,
  );
}
