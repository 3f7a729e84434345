/** What the openings of a feed have taught about how to open it, kept while the camera's process lives. */
import type { CameraSpec } from '../../config/topology';
import { Fault } from '../../protocol/fault';
import { LengthPrefixed } from './capture';
import { afterFault, afterPacket, overTransport, type TransportChoice } from './transport-choice';

/** Facts of the camera's state. */
export type AdaptationFacts = { readonly transport?: string };

export class FeedAdaptation {
  #transport: TransportChoice = { name: 'udp' };
  #lengthPrefixed: string | undefined;

  constructor(private readonly configured: CameraSpec) {}

  /** The camera as it is to be opened next. */
  get camera(): CameraSpec {
    return { ...this.configured, source: overTransport(this.configured.source, this.#transport) };
  }

  /** Codec whose packets were found to have lengths instead of start codes. */
  get lengthPrefixed(): string | undefined {
    return this.#lengthPrefixed;
  }

  /** How it is opened where that was left to it, and why. */
  get facts(): AdaptationFacts {
    const { source } = this.configured;
    if (source.kind !== 'stream' || source.orTcp !== true) return {};
    const choice = this.#transport;
    return { transport: choice.name === 'udp' ? 'udp' : `tcp (${choice.because})` };
  }

  /** Learns from an opening that failed. True when another is worth its while at once. */
  learn(error: unknown): boolean {
    if (error instanceof LengthPrefixed) {
      this.#lengthPrefixed = error.codec;
      return true;
    }
    if (!(error instanceof Fault) || this.facts.transport === undefined) return false;
    this.#transport = afterFault(this.#transport, error);
    return this.#transport.name === 'trying-tcp';
  }

  /** A packet came. Returns what is new of it, as a sentence for the log. */
  received(): string | undefined {
    const before = this.#transport;
    this.#transport = afterPacket(before);
    if (this.#transport.name !== 'tcp' || before.name === 'tcp') return undefined;
    return `is received over TCP: ${this.#transport.because}`;
  }
}
