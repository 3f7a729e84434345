/** Events about cameras that wait for the broker: they are published again until it confirms them. */
import { cameraStateChanged, framesMissed } from '../../contract/events';
import type { CameraState, Gap, VigilEvent } from '../../contract/message';
import type { EventKind } from '../../contract/broker-names';

/** Most gaps kept while the broker is away; of states, only the newest of each camera is kept. */
const MAX_WAITING_GAPS = 1000;

export interface CameraEventsOptions {
  readonly namespace: string;
  /** Name of the node in a fleet. */
  readonly node?: string | undefined;
  /** Resolves with false if the broker did not accept the event. */
  readonly publish: (camera: string, kind: EventKind, event: VigilEvent) => Promise<boolean>;
  readonly onGapTold: (gap: Gap) => void;
}

export class CameraEvents {
  readonly #states = new Map<string, CameraState>();
  #gaps: { gap: Gap; noticedAt: number }[] = [];
  #publishing = false;
  #moreWaits = false;

  constructor(private readonly options: CameraEventsOptions) {}

  addState(state: CameraState): void {
    this.#states.set(state.camera, state);
    void this.publish();
  }

  addGap(gap: Gap): void {
    this.#gaps.push({ gap, noticedAt: Date.now() });
    this.#gaps.splice(0, this.#gaps.length - MAX_WAITING_GAPS);
    void this.publish();
  }

  /** Publishes all waiting events, in a single loop however many arrive. */
  async publish(): Promise<void> {
    this.#moreWaits = true;
    if (this.#publishing) return;
    this.#publishing = true;
    while (this.#moreWaits) {
      this.#moreWaits = false;
      await this.#publishAll();
    }
    this.#publishing = false;
  }

  async #publishAll(): Promise<void> {
    const { namespace, node, publish, onGapTold } = this.options;
    for (const [camera, state] of [...this.#states]) {
      if (!(await publish(camera, 'state', cameraStateChanged(namespace, state, node)))) return;
      if (this.#states.get(camera) === state) this.#states.delete(camera);
    }
    for (const waiting of [...this.#gaps]) {
      const { gap, noticedAt } = waiting;
      if (!(await publish(gap.camera, 'gap', framesMissed(namespace, gap, noticedAt, node)))) return;
      this.#gaps = this.#gaps.filter((other) => other !== waiting);
      onGapTold(gap);
    }
  }
}
