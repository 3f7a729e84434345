/** Keeps a camera's pictures: encodes them, writes them to the spool one after the other, and counts them. */
import type { CameraSpec } from '../../config/topology';
import type { Frame, FrameFormat } from '../../contract/frame';
import type { Verdict } from '../../contract/verdict';
import { faultRecord, type FaultRecord } from '../../fault/fault';
import { RecurringFault } from '../../fault/recurring';
import type { ActorContext } from '../../protocol/actor';
import type { CameraParameters } from '../../protocol/messages';
import { NewestLink } from '../../spool/newest';
import { Spool } from '../../spool/spool';
import type { Gaps } from './gaps';
import type { Picture } from './pictures/decoder';
import type { Sample } from './sampling/sample';

/**
 * Most samples being encoded or written; beyond this, the disk or the processor is too slow and samples are
 * lost.
 */
const MAX_PENDING = 8;

export type JudgedPicture = Picture & { readonly verdict: Verdict };

export class Keeper {
  readonly #spool: Spool;
  readonly #newest: NewestLink | undefined;
  readonly #writeFaults: RecurringFault;
  /** Kept pictures that are not healthy, by kind and by kind and reason, and lost samples. */
  readonly #bad: Record<string, number> = {};
  #pending: Promise<void> = Promise.resolve();
  #pendingCount = 0;
  #handled = 0;
  #kept = 0;

  constructor(
    private readonly context: ActorContext<CameraParameters>,
    private readonly gaps: Gaps,
  ) {
    this.#spool = new Spool(context.parameters.spoolDir, undefined, () => context.parameters.minFreeBytes);
    const { newestDir, spoolDir, camera } = context.parameters;
    this.#newest = newestDir === undefined ? undefined : new NewestLink(newestDir, spoolDir, camera.id);
    this.#writeFaults = new RecurringFault(context.log);
  }

  /** Pictures that were kept or abandoned. */
  get handled(): number {
    return this.#handled;
  }

  get facts(): Readonly<Record<string, number>> {
    return { frames: this.#kept, ...this.#bad };
  }

  /** Prepares the camera's folder. */
  async open(): Promise<void> {
    // Opening removes half-written files, which must not include one that an earlier write is still making.
    await this.settled();
    await this.#spool.openCamera(this.context.parameters.camera.id);
    await this.#newest?.open();
  }

  /** Resolves when no picture waits to be kept. */
  async settled(): Promise<void> {
    await this.#pending;
  }

  /** @param madeBy the settings the picture was made with */
  take(picture: JudgedPicture, madeBy: CameraSpec): void {
    if (this.#pendingCount >= MAX_PENDING) {
      this.#notKept(picture.sample, {
        code: 'spool-slow',
        message: `${MAX_PENDING} pictures wait to be written already`,
      });
      return;
    }
    this.#pendingCount++;
    // One after the other, so that frames reach the store in the order they were captured.
    this.#pending = this.#pending.then(async () => {
      await this.#keep(picture, madeBy);
      this.#handled++;
      this.#pendingCount--;
    });
  }

  /** The sample yields no picture. */
  lose(sample: Sample, reason: string): void {
    this.#count('lost');
    this.gaps.lose(sample, reason);
  }

  async #keep(picture: JudgedPicture, madeBy: CameraSpec): Promise<void> {
    const { sample, width, height, source, verdict } = picture;
    const rotation = picture.rotation?.degrees;
    const { capturedAt, sequence, clock, clockSkewMs, clockUnset, linkDelayMs } = sample;
    const { id } = this.context.parameters.camera;
    try {
      const { format, bytes } = await encode(picture, madeBy);
      const frame: Frame = {
        ...{ camera: id, capturedAt, sequence, width, height, format, bytes: bytes.length },
        ...(source.width > 0 && source.height > 0
          ? { sourceWidth: source.width, sourceHeight: source.height }
          : {}),
        ...(rotation === 90 || rotation === 180 || rotation === 270 ? { rotation } : {}),
        verdict,
        ...(clock === undefined ? {} : { clock }),
        ...(clockSkewMs === undefined ? {} : { clockSkewMs }),
        ...(clockUnset === undefined ? {} : { clockUnset }),
        ...(linkDelayMs === undefined ? {} : { linkDelayMs }),
      };
      const diskFault = await this.#spool.write(frame, bytes);
      if (diskFault === undefined) await this.#newest?.set(frame);
      this.#kept++;
      if (verdict.kind !== 'healthy') this.#countBad(verdict);
      this.context.report({ kind: 'frame', frame });
      this.gaps.end();
      if (diskFault === undefined) this.#writeFaults.clear('pictures are kept on disk again');
      else this.#writeFaults.report(diskFault);
    } catch (error) {
      this.#notKept(sample, faultRecord(error, 'spool-write'));
    }
  }

  /** A fault of the disk or the processor, not of the feed. */
  #notKept(sample: Sample, { code, message }: FaultRecord): void {
    this.#writeFaults.report({ code, message: `a picture could not be kept: ${message}` });
    this.lose(sample, code);
  }

  #countBad({ kind, reason }: Verdict): void {
    this.#count(kind);
    if (reason !== undefined) this.#count(`${kind}-${reason}`);
  }

  #count(what: string): void {
    this.#bad[what] = (this.#bad[what] ?? 0) + 1;
  }
}

async function encode(
  picture: Picture,
  { format, quality }: CameraSpec,
): Promise<{ format: FrameFormat; bytes: Buffer }> {
  if (picture.format !== 'ppm') return { format: picture.format, bytes: picture.bytes };
  // Loaded only by cameras that need it: sharp takes 20 MB.
  const { encodePpm } = await import('./pictures/encode');
  const wanted = format === 'webp' ? 'webp' : 'png';
  return { format: wanted, bytes: await encodePpm(picture.bytes, wanted, quality) };
}
