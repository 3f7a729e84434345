/** Receives a feed with ffmpeg, which decodes nothing. */
import type { CameraSpec } from '../../config/topology';
import { Fault, type FaultRecord } from '../../protocol/fault';
import { crashFault, endFault, openFault } from './feed-fault';
import { hasSenderTimes, receiverInvocation, type PacketForm } from './ffmpeg-arguments';
import { FfmpegProcess } from './ffmpeg-process';
import { PacketSplitter, type Packet } from './packet-splitter';
import type { Receiver, ReceiverEvents } from './receiver';
import { SenderClock } from './sender-clock';

/** How far a packet's time may be from ours before it is no arrival. */
export const MAX_CLOCK_ERROR_MS = 60_000;
/** A coarser unit of time is a grid of the nominal rate, on which arrivals cannot be. */
const FINEST_GRID_MS = 1;

export interface FfmpegReceiverOptions {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
  readonly packetForm: PacketForm;
}

export class FfmpegReceiver implements Receiver {
  readonly #process: FfmpegProcess;
  readonly #splitter = new PacketSplitter();
  readonly #senderClock = new SenderClock();
  #failed = false;

  constructor(
    private readonly options: FfmpegReceiverOptions,
    private readonly events: ReceiverEvents,
  ) {
    const { camera, ffmpeg, packetForm } = options;
    this.#process = new FfmpegProcess(
      ffmpeg,
      receiverInvocation(camera, packetForm),
      (chunk) => {
        this.#receive(chunk);
      },
      events.onWords,
      hasSenderTimes(camera.source)
        ? (chunk) => {
            events.onSenderClock(this.#senderClock.push(chunk));
          }
        : undefined,
    );
  }

  get ended(): Promise<void> {
    return this.#process.exited;
  }

  end(): Promise<void> {
    return this.#process.end();
  }

  endFault(elapsedMs: number, hadPackets: boolean): Fault {
    const { code, message } = this.#whyEnded(elapsedMs, hadPackets);
    return new Fault(code, message);
  }

  #whyEnded(elapsedMs: number, hadPackets: boolean): FaultRecord {
    const { source } = this.options.camera;
    const { spawnError, crash, stderr } = this.#process;
    if (spawnError !== undefined)
      return { code: 'ffmpeg', message: `ffmpeg could not be started: ${spawnError.message}` };
    if (crash !== undefined) return crashFault(source, crash);
    return hadPackets ? endFault(source, stderr) : openFault(source, stderr, elapsedMs);
  }

  #receive(chunk: Buffer): void {
    if (this.#failed) return;
    try {
      for (const packet of this.#splitter.push(chunk)) this.#give(packet);
    } catch (error) {
      this.#failed = true;
      this.events.onFault(error as Error);
    }
  }

  #give(packet: Packet): void {
    const { pts, ...timeless } = packet;
    const { header } = this.#splitter;
    this.events.onPacket(header.unitMs > FINEST_GRID_MS ? timeless : packet, header);
    // Behind a clock that was set back ffmpeg's times stand still, until they rise again.
    if (pts !== undefined && Math.abs(pts - Date.now()) <= MAX_CLOCK_ERROR_MS)
      this.events.onSenderClock(this.#senderClock.saw(packet));
  }
}
