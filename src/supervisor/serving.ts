/** Which actors are working, that is, whose server answers. */
import { NAMESPACE_IN_USE } from '../connections/namespace-fault';
import type { FaultRecord } from '../fault/fault';

export interface ServingOptions {
  /** Called when the actor's server answers, and with each heartbeat while it does. */
  readonly onServing: (name: string) => void;
  /** Another daemon has the namespace. */
  readonly onEscalation: (fault: FaultRecord) => void;
}

export class Serving {
  readonly #ready = new Set<string>();

  constructor(private readonly options: ServingOptions) {}

  /** @param fault why the actor cannot work now; undefined when it can */
  readiness(name: string, fault: FaultRecord | undefined): void {
    if (fault === undefined) this.#ready.add(name);
    else this.#ready.delete(name);
    this.heartbeat(name);
    if (fault?.code === NAMESPACE_IN_USE) this.options.onEscalation(fault);
  }

  heartbeat(name: string): void {
    if (this.#ready.has(name)) this.options.onServing(name);
  }

  /** The actor's process has ended. */
  ended(name: string): void {
    this.#ready.delete(name);
  }
}
