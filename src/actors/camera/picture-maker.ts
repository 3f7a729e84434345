/** Makes pictures of packets as the plan decides: handed through, decoded, or not looked at. */
import type { CameraSpec } from '../../config/topology';
import type { FrameFormat } from '../../contract/frame';
import { Fault, type FaultRecord } from '../../protocol/fault';
import { sequenceParameters } from './annex-b';
import { Decoder, type DecoderOutcome } from './decoder';
import { formatOfCodec, MAX_PIXELS } from './ffmpeg-arguments';
import { readJpeg, withHuffmanTables } from './jpeg';
import type { Packet, StreamHeader } from './packet-splitter';
import type { Decision, Sample } from './sample-plan';

/** What is held for a picture that may need it; beyond, it is decoded at once. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** That a JPEG without its end was cut; that a packet marked by a demuxer shows damage: it may be one byte. */
const CUT_CONFIDENCE = 99;
const CORRUPT_CONFIDENCE = 70;

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
  #held: Packet[] = [];
  #heldBytes = 0;

  /** @throws Fault `picture-too-large`; `unsupported-codec` when keyframes are wanted and there is no format for them */
  constructor(
    private readonly options: PictureMakerOptions,
    private readonly header: StreamHeader,
  ) {
    this.storedAs = storedFormat(options.camera, header.codec);
    const { width, height } = header;
    if (isTooLarge(width, height)) {
      const { code, message } = tooLarge(width, height);
      throw new Fault(code, message);
    }
    // Before its first keyframe: it takes as long to start as many a feed to send one.
    if (this.storedAs === undefined) this.#decoder = this.#startDecoder();
  }

  /** @throws Fault `decoder-slow`, `new-resolution` */
  take(packet: Packet, decision: Decision): void {
    const sample = decision.kind === 'take' ? decision.sample : undefined;
    if (this.storedAs !== undefined) {
      if (sample !== undefined) this.#handThrough(packet, sample, this.storedAs);
      return;
    }
    if (packet.key) this.#beginGroup(packet.bytes);
    if (decision.kind === 'skip') return;
    this.#held.push(packet);
    this.#heldBytes += packet.bytes.length;
    if (decision.kind === 'hold' && this.#heldBytes <= MAX_HELD_BYTES) return;
    const last = this.#held.pop() ?? packet;
    for (const { bytes, key } of this.#held) this.#decoder?.feed(bytes, key);
    this.#decoder?.feed(last.bytes, last.key, sample);
    this.#release();
  }

  /** Settles when no decoder is left; those still at work may finish their pictures. */
  async end(): Promise<void> {
    await Promise.all([...this.#replaced, this.#decoder?.finish()]);
  }

  #handThrough({ bytes, checksum, corrupt }: Packet, sample: Sample, format: FrameFormat | 'ppm'): void {
    // The size is that of the parameters the feed began with.
    if (this.#hasNewParameters(bytes))
      throw new Fault('new-resolution', 'its video has other parameters now and is opened anew');
    const jpeg = format === 'jpeg' ? readJpeg(bytes) : undefined;
    // Each JPEG says its own size: it may be another than the feed began with.
    const { width, height } = jpeg ?? this.header;
    if (isTooLarge(width, height)) {
      this.options.onLost(sample, tooLarge(width, height));
      return;
    }
    const cut = format === 'jpeg' && jpeg?.whole !== true ? CUT_CONFIDENCE : undefined;
    const damage = cut ?? (corrupt ? CORRUPT_CONFIDENCE : undefined);
    const evidence = { fingerprint: `${String(bytes.length)}-${checksum}`, damage };
    const stored = format === 'jpeg' ? withHuffmanTables(bytes) : bytes;
    this.options.onPicture({ sample, format, bytes: stored, width, height, evidence });
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

function isTooLarge(width: number, height: number): boolean {
  return width * height > MAX_PIXELS;
}

function tooLarge(width: number, height: number): FaultRecord {
  const size = `${String(width)}x${String(height)}`;
  const message = `a picture of ${size} pixels, at most ${String(MAX_PIXELS)} are taken; set the camera to fewer`;
  return { code: 'picture-too-large', message };
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
