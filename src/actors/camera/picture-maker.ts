/** Makes pictures of packets as the plan decides: handed through, decoded, or not looked at. */
import type { CameraSpec } from '../../config/topology';
import { sequenceParameters } from './annex-b';
import { Decoder, type DecoderOutcome } from './decoder';
import { formatOfCodec } from './ffmpeg-arguments';
import type { Packet, StreamHeader } from './packet-splitter';
import type { Decision } from './sample-plan';

/** What is held for a picture that may need it; beyond, it is decoded at once. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

export interface PictureMakerOptions extends DecoderOutcome {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
}

export class PictureMaker {
  /** Whether the packets are pictures in the wanted form already. */
  readonly passesThrough: boolean;
  #decoder: Decoder | undefined;
  #replaced: Promise<void>[] = [];
  #parameters = Buffer.alloc(0);
  /** Packets since the newest keyframe that were not decoded, but may have to be. */
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(
    private readonly options: PictureMakerOptions,
    private readonly header: StreamHeader,
  ) {
    const { source, format, width } = options.camera;
    // A synthetic picture has its size from its generator.
    this.passesThrough =
      formatOfCodec(header.codec) === format && (width === undefined || source.kind === 'test');
    // Before its first keyframe: it takes as long to start as many a feed to send one.
    if (!this.passesThrough) this.#decoder = this.#startDecoder();
  }

  /** @throws Fault `decoder-slow` */
  take(packet: Packet, decision: Decision): void {
    const sample = decision.kind === 'take' ? decision.sample : undefined;
    if (this.passesThrough) {
      const { width, height } = this.header;
      if (sample !== undefined) this.options.onPicture({ sample, bytes: packet.bytes, width, height });
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

  /** Nothing before a keyframe is needed behind it. New sequence parameters need a new decoder: ffmpeg would keep to the old size. */
  #beginGroup(keyframe: Buffer): void {
    this.#release();
    const parameters = sequenceParameters(this.header.codec, keyframe);
    if (parameters.length === 0 || parameters.equals(this.#parameters)) return;
    const first = this.#parameters.length === 0;
    this.#parameters = Buffer.from(parameters);
    if (first || this.#decoder === undefined) return;
    this.#replaced = [this.#decoder.finish()];
    this.#decoder = this.#startDecoder();
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
