/** Receives HLS: opens its playlist, and reads it until it ends. */
import type { CameraSource, CameraSpec } from '../../../config/topology';
import { Fault, faultRecord, type FaultRecord } from '../../../fault/fault';
import { endFault } from '../feed/fault';
import type { Learned } from '../feed/learned';
import type { Receiver, ReceiverEvents } from '../feed/receiver';
import { openPlaylist } from './open-playlist';
import { PlaylistReader } from './playlist-reader';

export interface HlsReceiverOptions {
  readonly camera: CameraSpec;
  readonly ffmpeg: string;
  readonly learned: Learned;
  readonly source: Extract<CameraSource, { kind: 'stream' }>;
}

/** Releases each packet when it is due, which counts as its time. */
export class HlsReceiver implements Receiver {
  readonly ended: Promise<void>;
  readonly #ending = new AbortController();
  #reader: PlaylistReader | undefined;
  #fault: Error | undefined;

  constructor(
    private readonly options: HlsReceiverOptions,
    private readonly events: ReceiverEvents,
  ) {
    this.ended = this.#run(this.#ending.signal).catch((error: unknown) => {
      this.#fault = error as Error;
    });
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#reader?.end();
    await this.ended;
  }

  endFault(): Fault {
    const fault = this.#reader?.fault ?? this.#fault;
    return Fault.from(fault === undefined ? endFault(this.options.source, '') : faultRecord(fault, 'failed'));
  }

  silence(): FaultRecord | undefined {
    const fault = this.#reader?.fault;
    return fault === undefined ? undefined : faultRecord(fault, 'failed');
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { camera, ffmpeg, learned, source } = this.options;
    const { onPacket, onBreak, onFault, onStderr } = this.events;
    const opened = await openPlaylist(camera, source.url, signal, this.events.onBasic);
    if (signal.aborted) {
      opened.client.close();
      return;
    }
    this.#reader = new PlaylistReader(opened, {
      ...{ camera, ffmpeg, form: learned.form, onFault, onStderr },
      onPacket: (packet, header, agoMs, begins) => {
        // The media time cannot show a delay, because the packet was held until it was due.
        const { pts: _, ...due } = packet;
        if (begins) onBreak(header);
        onPacket(due, header, agoMs);
      },
    });
    await this.#reader.exited;
  }
}
