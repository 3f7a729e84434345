/** Makes pictures of packets as the plan decides: passes them through, decodes them, or skips them. */
import { isDeepStrictEqual } from 'node:util';
import type { CameraSpec } from '../../../config/topology';
import type { FrameFormat } from '../../../contract/frame';
import { Fault } from '../../../fault/fault';
import { sequenceParameters } from '../bitstream/codec';
import { readJpeg } from '../bitstream/jpeg';
import { isUpright, type Rotation } from '../ffmpeg/rotation';
import { CodedPictures, type CodedPicture } from './coded-pictures';
import { worse, type Damage } from './damage';
import { Decoder, type DecoderOutcome, type PictureSize } from './decoder';
import { formatOfCodec } from '../ffmpeg/codecs';
import { inOrder } from './in-order';
import { damageOnTheWay, handThrough, isTooLarge, tooLarge } from './hand-through';
import type { Packet, StreamHeader } from '../ffmpeg/packet-splitter';
import { pictureLook, wantedRotation, type PictureLook } from './look';
import type { Decision, Sample } from '../sampling/sample';
import { isShapedAlike } from './shape';

/** Confidence that a picture whose headers reveal missing data is visibly damaged. */
const LACK_CONFIDENCE = 99;
/** Most bytes held for a picture that may need them; beyond this, they are decoded at once. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

export interface PictureMakerOptions extends DecoderOutcome {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
}

export class PictureMaker {
  /** The format in which packets are stored unchanged; undefined if they have to be decoded. */
  storedAs: FrameFormat | 'ppm' | undefined;
  /** Reads every packet before its picture is taken. */
  #pictures: CodedPictures;
  #decoder: Decoder | undefined;
  /** Settles when the replaced decoders have delivered their pictures. */
  #replaced: Promise<unknown> | undefined;
  /** Outcome of the current pictures. */
  #outcome: DecoderOutcome;
  #parameters = Buffer.alloc(0);
  /** Packets since the newest keyframe that were not decoded, but may have to be. */
  #held: CodedPicture[] = [];
  #heldBytes = 0;
  #look: PictureLook;
  /** The turn wanted for the stored pictures. */
  #rotation: Rotation;
  /** The settings of the decoder. */
  #camera: CameraSpec;
  /**
   * Set by the first interlaced picture, for all later ones too, because each change would need a new
   * decoder.
   */
  #interlaced = false;

  /** @throws Fault `picture-too-large`; `unsupported-codec` if keyframes are wanted and their codec has no format */
  constructor(
    private readonly options: PictureMakerOptions,
    private readonly header: StreamHeader,
  ) {
    this.#pictures = new CodedPictures(header.codec);
    this.#outcome = options;
    this.#camera = options.camera;
    this.#rotation = this.#rotationNow();
    this.storedAs = storedFormat(options.camera, header.codec, this.#rotation);
    this.#look = this.#lookNow();
    const { width, height } = header;
    if (isTooLarge(width, height)) throw Fault.from(tooLarge(width, height));
    // Started before the first keyframe: it takes as long to start as many feeds take to send a keyframe.
    if (this.storedAs === undefined) this.#decoder = this.#startDecoder();
  }

  get pictures(): CodedPictures {
    return this.#pictures;
  }

  /** The next packet does not continue the previous one. */
  beginAnew(): void {
    this.#pictures = new CodedPictures(this.header.codec);
    this.#release();
  }

  /**
   * @throws Fault `decoder-slow`; `unsupported-codec` if new settings want keyframes and the codec has no
   * format
   */
  take(picture: CodedPicture, decision: Decision): void {
    const { packet, facts } = picture;
    const sample = decision.kind === 'take' ? decision.sample : undefined;
    if (facts.key) this.#takeOver(this.options.camera, this.#rotationNow());
    if (this.storedAs !== undefined) {
      if (sample !== undefined) this.#handThrough(packet, sample, this.storedAs);
      return;
    }
    this.#interlaced ||= facts.interlaced;
    if (facts.key) this.#beginGroup(packet.bytes);
    if (decision.kind === 'skip') return;
    this.#held.push(picture);
    this.#heldBytes += packet.bytes.length;
    if (decision.kind === 'hold' && this.#heldBytes <= MAX_HELD_BYTES) return;
    const last = this.#held.pop() ?? picture;
    for (const held of this.#held) this.#feed(held);
    this.#feed(last, sample);
    this.#release();
  }

  /** Settles when no decoder is left running; they may finish their pictures. */
  async end(): Promise<void> {
    await Promise.all([this.#replaced, this.#decoder?.finish()]);
  }

  #feed({ packet, facts }: CodedPicture, sample?: Sample): void {
    const bytes = this.#pictures.reader.forDecoder(packet.bytes, facts.key);
    const found = facts.lacks ?? this.#pictures.reader.damageIn?.(packet.bytes);
    const isUnchecked = found === 'unchecked';
    const lack: Damage | undefined =
      found === undefined || isUnchecked ? undefined : { reason: found, confidence: LACK_CONFIDENCE };
    const damage = worse(lack, damageOnTheWay(packet));
    const { renews } = facts;
    this.#decoder?.feed({ bytes, size: this.#sizeOf(packet), renews, damage, isUnchecked }, sample);
  }

  #sizeOf({ bytes }: Packet): PictureSize {
    const { format } = this.#pictures.reader;
    const { width, height } =
      format ?? (this.header.codec === 'mjpeg' ? readJpeg(bytes) : undefined) ?? this.header;
    return { width, height };
  }

  /** Each picture states its own size, which may differ from the one announced by the feed. */
  #handThrough(packet: Packet, sample: Sample, format: FrameFormat | 'ppm'): void {
    const size = this.#pictures.reader.format ?? this.header;
    handThrough(packet, sample, format, size, this.#outcome, this.#rotation);
  }

  /** Applies other settings, or another turn of the camera, from this keyframe on. */
  #takeOver(camera: CameraSpec, rotation: Rotation): void {
    const [before, { codec }] = [this.#camera, this.header];
    const isTurnedAlike = isDeepStrictEqual(rotation, this.#rotation);
    if (camera === before && isTurnedAlike) return;
    this.#camera = camera;
    this.#rotation = rotation;
    this.storedAs = storedFormat(camera, codec, rotation);
    if (isShapedAlike(before, camera) && isTurnedAlike) return;
    this.#release();
    this.#look = this.#lookNow();
    this.#replaceDecoder();
  }

  /**
   * Drops what was held before the keyframe. Another look needs a new decoder: ffmpeg would keep the old
   * size.
   */
  #beginGroup(keyframe: Buffer): void {
    this.#release();
    const look = this.#lookNow();
    const isNew = this.#hasNewParameters(keyframe) || !isDeepStrictEqual(look, this.#look);
    if (!isNew || this.#decoder === undefined) return;
    this.#look = look;
    this.#replaceDecoder();
  }

  /** Replaces the decoder by one for the current look, or by none if packets are stored unchanged. */
  #replaceDecoder(): void {
    if (this.#decoder !== undefined) {
      this.#replaced = Promise.all([this.#replaced, this.#decoder.finish()]);
      this.#outcome = { ...this.options, ...inOrder(this.#replaced, this.options) };
    }
    this.#decoder = this.storedAs === undefined ? this.#startDecoder() : undefined;
  }

  #lookNow(): PictureLook {
    const { format } = this.#pictures.reader;
    return pictureLook(this.options.camera, this.header, format, this.#interlaced, this.#statedRotation());
  }

  /** The turn declared by the picture itself, else by its container. */
  #statedRotation(): Rotation | undefined {
    return this.#pictures.reader.rotation ?? this.header.rotation;
  }

  #rotationNow(): Rotation {
    return wantedRotation(this.options.camera, this.#statedRotation());
  }

  /** True if the parameters differ from the previous ones; the first are only remembered. */
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
    return new Decoder({ camera, ffmpeg, codec: this.header.codec, look: this.#look }, this.#outcome);
  }
}

function storedFormat(
  { source, format, width }: CameraSpec,
  codec: string,
  rotation: Rotation,
): FrameFormat | 'ppm' | undefined {
  const own = formatOfCodec(codec);
  // The generator already makes a synthetic picture in the configured size.
  if (source.kind === 'test') return own;
  if (format !== 'keyframe' && codec !== 'png')
    return own === format && width === undefined && isUpright(rotation) ? own : undefined;
  if (own !== undefined) return own;
  // PNG is refused too: its decoder adds a picture to the previous one unless the packet is marked as a
  // keyframe, and IVF has no such mark.
  throw new Fault(
    'unsupported-codec',
    `its ${codec} video cannot be used for "${format}" pictures; set the camera to H.264, H.265 or MJPEG`,
  );
}
