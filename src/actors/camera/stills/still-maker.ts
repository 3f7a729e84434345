/** Converts a still picture to the format the camera stores, or passes it through if it is in that format already. */
import type { CameraSpec } from '../../../config/topology';
import type { FeedOptions } from '../feed/options';
import { Fault } from '../../../fault/fault';
import { isJpeg } from '../http/answer-kind';
import type { Damage } from '../pictures/damage';
import { isUpright, type Rotation } from '../ffmpeg/rotation';
import { jpegRotation } from '../bitstream/orientation';
import { handThrough } from '../pictures/hand-through';
import { wantedRotation } from '../pictures/look';
import { readJpeg, withHuffmanTables } from '../bitstream/jpeg';
import type { Sample } from '../sampling/sample';

const CUT: Damage = { reason: 'cut', confidence: 99 };
const DAMAGED: Damage = { reason: 'decode-error', confidence: 80 };

export interface Still {
  readonly bytes: Buffer;
  readonly checksum: string;
  /** As declared by the answer. */
  readonly type: string;
}

/** First bytes of the formats sharp reads besides JPEG, at the offset given. */
const READABLE: readonly (readonly [name: string, at: number, bytes: string])[] = [
  ['png', 0, '\x89PNG\r\n\x1a\n'],
  ['webp', 8, 'WEBP'],
  ['gif', 0, 'GIF8'],
];

export class StillMaker {
  #toldStream: string | undefined;

  constructor(private readonly options: FeedOptions) {}

  /** @throws Fault `not-a-picture`; its message follows the feed's name */
  async make(still: Still, sample: Sample): Promise<void> {
    const { camera } = this.options;
    const name = pictureName(still.bytes);
    if (name === undefined) throw noPicture(still);
    const isStored = name === 'jpeg' && isAsSent(camera, rotationOf(still.bytes, camera));
    this.#tellStream(name, !isStored);
    if (isStored) this.#handThrough(still, sample);
    else await this.#convert(still, sample);
  }

  #tellStream(codec: string, decoded: boolean): void {
    if (this.#toldStream === codec) return;
    this.#toldStream = codec;
    this.options.onStream({ codec, decoded, still: true });
  }

  /** Passes the picture through, with the same checks as for pictures of a stream. */
  #handThrough({ bytes, checksum }: Still, sample: Sample): void {
    const size = readJpeg(bytes);
    if (size === undefined)
      this.options.onLost(sample, {
        code: 'undecodable',
        message: 'the camera sent a picture without a readable header',
      });
    else {
      const rotation = rotationOf(bytes, this.options.camera);
      handThrough({ bytes, checksum, corrupt: false }, sample, 'jpeg', size, this.options, rotation);
    }
  }

  async #convert({ bytes, checksum }: Still, sample: Sample): Promise<void> {
    const { camera, onPicture, onLost } = this.options;
    const isCut = isJpeg(bytes) && readJpeg(bytes)?.whole !== true;
    // Loaded only by cameras that need it: sharp takes 20 MB.
    const { convertStill } = await import('./convert-still');
    try {
      const { isDamaged, thumbnail, ...picture } = await convertStill(withHuffmanTables(bytes), camera);
      const damage = isCut ? CUT : isDamaged ? DAMAGED : undefined;
      const fingerprint = `${bytes.length}-${checksum}`;
      onPicture({ sample, ...picture, evidence: { thumbnail, fingerprint, damage } });
    } catch {
      onLost(sample);
    }
  }
}

function isAsSent({ format, width }: CameraSpec, rotation: Rotation): boolean {
  return format === 'keyframe' || (format === 'jpeg' && width === undefined && isUpright(rotation));
}

function rotationOf(jpeg: Buffer, camera: CameraSpec): Rotation {
  return wantedRotation(camera, jpegRotation(jpeg));
}

function pictureName(bytes: Buffer): string | undefined {
  if (isJpeg(bytes)) return 'jpeg';
  return READABLE.find(([, at, start]) => bytes.toString('latin1', at, at + start.length) === start)?.[0];
}

function noPicture({ type, bytes }: Still): Fault {
  const what = bytes.length === 0 ? 'nothing' : type.replace(/[^\w/+.-]/g, '') || 'something unknown';
  return new Fault(
    'not-a-picture',
    `answers with ${what}, not with a picture; check that the URL is that of a still picture, and what the camera says there in a browser`,
  );
}
