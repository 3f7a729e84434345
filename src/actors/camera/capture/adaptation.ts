/** What earlier openings have taught about how to open a feed, kept while the camera's process runs. */
import type { CameraSpec } from '../../../config/topology';
import { Fault } from '../../../fault/fault';
import {
  accelerationOf,
  accelerationText,
  afterHardwareFault,
  type Acceleration,
} from '../ffmpeg/acceleration';
import type { Learned } from '../feed/learned';
import { OtherForm, type StreamForm } from '../ffmpeg/stream-form';
import { RtspEntrance } from '../rtsp/entrance';
import { LossWatch } from '../rtsp/loss-watch';
import { afterFault, afterPacket, leavesUdp, overTransport, type TransportChoice } from './transport-choice';

/** Faults of a camera that may still be busy with the query just before. */
const MAY_BE_BUSY: ReadonlySet<string> = new Set(['too-many-sessions', 'rejected', 'server-error', 'closed']);

/** Facts of the camera's state: how it is opened where Vigil may choose, and why. */
export type AdaptationFacts = {
  readonly transport?: string;
  readonly decoding?: string;
  /** Packets lost over UDP since the camera's process began. */
  readonly rtpLost?: number;
};

export class FeedAdaptation {
  readonly #entrance = new RtspEntrance();
  readonly #losses = new LossWatch();
  #transport: TransportChoice = { name: 'udp' };
  #acceleration: Acceleration;
  #form: StreamForm = {};
  #told: AdaptationFacts;

  constructor(
    /** May be replaced by settings with the same source and hardware. */
    public configured: CameraSpec,
    platform: NodeJS.Platform = process.platform,
  ) {
    this.#acceleration = accelerationOf(configured.hwaccel, platform);
    this.#told = this.facts;
  }

  /** The camera as it will be opened next. */
  get camera(): CameraSpec {
    const { hwaccel: _, ...rest } = this.configured;
    const { current } = this.#acceleration;
    return {
      ...rest,
      source: overTransport(rest.source, this.#transport),
      ...(current === undefined ? {} : { hwaccel: current }),
    };
  }

  get learned(): Learned {
    return {
      form: this.#form,
      entrance: this.#entrance,
      losses: this.#losses,
      leavesUdp: leavesUdp(this.configured.source, this.#transport),
    };
  }

  get facts(): AdaptationFacts {
    const { hwaccel } = this.configured;
    const choice = this.#transport;
    const transport = choice.name === 'udp' ? 'udp' : `tcp (${choice.because})`;
    return {
      ...(this.#mayChooseTransport() ? { transport } : {}),
      ...(hwaccel === undefined ? {} : { decoding: accelerationText(this.#acceleration) }),
      ...(this.#losses.total === 0 ? {} : { rtpLost: this.#losses.total }),
    };
  }

  /** Learns from a failed opening. Returns true if an immediate retry is worthwhile. */
  learn(error: unknown): boolean {
    if (error instanceof OtherForm) {
      this.#form = { ...this.#form, ...error.form };
      return true;
    }
    if (!(error instanceof Fault)) return false;
    if (error.code === 'hwaccel') {
      this.#acceleration = afterHardwareFault(this.#acceleration, error);
      return true;
    }
    if (MAY_BE_BUSY.has(error.code) && this.#entrance.refused()) return true;
    if (error.code === 'video-late' && this.#form.videoIsLate !== true) {
      this.#form = { ...this.#form, videoIsLate: true };
      return true;
    }
    // If the feed was cut, that alone may be why ffmpeg had too little data.
    if (error.code === 'closed') this.#form = withoutLateVideo(this.#form);
    if (!this.#mayChooseTransport()) return false;
    this.#transport = afterFault(this.#transport, error);
    return this.#transport.name === 'trying-tcp';
  }

  /** A packet arrived. Returns changes in how the feed is received or decoded, as sentences for the log. */
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

function withoutLateVideo({ videoIsLate: _, ...form }: StreamForm): StreamForm {
  return form;
}
