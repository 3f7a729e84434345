/** The daemon's state for all viewers together: queried on demand, at most once a second. */
import type { DaemonStatus } from '../../../control/protocol';
import type { ConfiguredCamera } from '../../../supervisor/status';
import type { ApiCamera, ApiState } from './api';
import { cameraView } from './camera-view';
import { stateView } from './state-view';

export interface View {
  readonly state: ApiState;
  /** In the order of the configuration. */
  readonly cameras: readonly ApiCamera[];
  /** Sampling periods of the enabled cameras, milliseconds. */
  readonly periodMs: ReadonlyMap<string, number>;
  readonly status: DaemonStatus;
}

/** Asks the daemon. */
export interface DaemonQuestions {
  status(): Promise<DaemonStatus>;
  cameras(): Promise<readonly ConfiguredCamera[]>;
}

/** Milliseconds for which an answer is reused. A little less than a second: a client that asks once a second gets a new one. */
const FRESH_MS = 900;

export class DaemonView {
  #asked: Promise<View> | undefined;
  #askedAtMs = -Infinity;

  constructor(
    private readonly daemon: DaemonQuestions,
    private readonly version: string,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Rejects as {@link DaemonQuestions} do, with the reason the daemon cannot answer. */
  async view(): Promise<View> {
    if (this.#asked !== undefined && this.now() - this.#askedAtMs < FRESH_MS) return this.#asked;
    this.#askedAtMs = this.now();
    this.#asked = this.#ask();
    return this.#asked;
  }

  async #ask(): Promise<View> {
    const [status, configured] = await Promise.all([this.daemon.status(), this.daemon.cameras()]);
    const children = new Map(status.children.map((child) => [child.name, child]));
    const nowMs = Date.now();
    const cameras = configured.map((camera) => {
      const child = children.get(`camera:${camera.id}`);
      const { appliedAtMs } = status.configuration;
      return cameraView(camera, child, appliedAtMs, nowMs);
    });
    const periodMs = new Map(
      configured.flatMap((camera) => (camera.periodMs === undefined ? [] : [[camera.id, camera.periodMs]])),
    );
    return { state: stateView(status, cameras, this.version), cameras, periodMs, status };
  }
}
