/** What the openings of a feed have taught about how to open it, kept while the camera's process lives. */
import type { CameraSpec } from '../../config/topology';
import { Fault } from '../../protocol/fault';
import { accelerationOf, accelerationText, afterHardwareFault, type Acceleration } from './acceleration';
import { OtherForm } from './capture';
import type { PacketForm } from './ffmpeg-arguments';
import { afterFault, afterPacket, overTransport, type TransportChoice } from './transport-choice';

/** Facts of the camera's state: how it is opened where that was left to it, and why. */
export type AdaptationFacts = { readonly transport?: string; readonly decoding?: string };

export class FeedAdaptation {
  #transport: TransportChoice = { name: 'udp' };
  #acceleration: Acceleration;
  #packetForm: PacketForm = {};
  #told: AdaptationFacts;

  constructor(
    private readonly configured: CameraSpec,
    platform: NodeJS.Platform = process.platform,
  ) {
    this.#acceleration = accelerationOf(configured.hwaccel, platform);
    this.#told = this.facts;
  }

  /** The camera as it is to be opened next. */
  get camera(): CameraSpec {
    const { hwaccel: _, ...rest } = this.configured;
    const { current } = this.#acceleration;
    return {
      ...rest,
      source: overTransport(rest.source, this.#transport),
      ...(current === undefined ? {} : { hwaccel: current }),
    };
  }

  get packetForm(): PacketForm {
    return this.#packetForm;
  }

  get facts(): AdaptationFacts {
    const { hwaccel } = this.configured;
    const choice = this.#transport;
    const transport = choice.name === 'udp' ? 'udp' : `tcp (${choice.because})`;
    return {
      ...(this.#mayChooseTransport() ? { transport } : {}),
      ...(hwaccel === undefined ? {} : { decoding: accelerationText(this.#acceleration) }),
    };
  }

  /** Learns from an opening that failed. True when another is worth its while at once. */
  learn(error: unknown): boolean {
    if (error instanceof OtherForm) {
      this.#packetForm = { ...this.#packetForm, ...error.form };
      return true;
    }
    if (!(error instanceof Fault)) return false;
    if (error.code === 'hwaccel') {
      this.#acceleration = afterHardwareFault(this.#acceleration, error);
      return true;
    }
    if (!this.#mayChooseTransport()) return false;
    this.#transport = afterFault(this.#transport, error);
    return this.#transport.name === 'trying-tcp';
  }

  /** A packet came. Returns what is new of how, as sentences for the log. */
  received(): readonly string[] {
    this.#transport = afterPacket(this.#transport);
    const before = this.#told;
    const { transport, decoding } = (this.#told = this.facts);
    return [
      ...(transport === undefined || transport === before.transport ? [] : [`is received over ${transport}`]),
      ...(decoding === undefined || decoding === before.decoding ? [] : [`is decoded by ${decoding}`]),
    ];
  }

  #mayChooseTransport(): boolean {
    const { source } = this.configured;
    return source.kind === 'stream' && source.orTcp === true;
  }
}
