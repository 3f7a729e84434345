/**
 * Rolls edits out: brings every actor from the parameters it was given last to those wanted now, a few
 * cameras at a time. The remaining steps of an earlier edit are carried out as the newest edit requires, or
 * dropped.
 */
import { withDeadline } from '../clock/sleep';
import type { HostedActor } from '../comedy/hosted-actor';
import type { WantedActor } from './actor-specs';
import type { Child } from './child';
import { changedParameters, needsNewProcess } from './plan';
import { StartGate } from './start-gate';

/** Milliseconds the next camera waits for one that applies an edit; the slow one then continues in parallel. */
const TURN_MS = 5000;

export interface RolloutSteps {
  /** The actor as it is wanted now. */
  readonly wanted: (name: string) => WantedActor | undefined;
  readonly child: (name: string) => Pick<Child, 'state'> | undefined;
  readonly start: (name: string) => Promise<void>;
  readonly replace: (name: string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
}

export class Rollout {
  /** Separate from those of starts: no crashed camera waits behind an edit. */
  readonly #turns: StartGate;
  /** Running actors. */
  readonly #running = new Map<string, HostedActor>();
  /** The parameters each actor was given last. */
  readonly #given = new Map<string, WantedActor>();
  /** Called when the actor of that name has applied what it was given. */
  readonly #changed = new Map<string, () => void>();
  /** Steps in progress, by name: one at a time. */
  readonly #settling = new Map<string, Promise<void>>();
  #stopping = false;

  /** @param width maximum number of cameras that apply an edit at the same time */
  constructor(
    private readonly steps: RolloutSteps,
    width: number,
  ) {
    this.#turns = new StartGate(width);
  }

  resize(width: number): void {
    this.#turns.resize(width);
  }

  /** A process is started with these parameters. */
  starts(name: string, given: WantedActor): void {
    this.#given.set(name, given);
  }

  /** The actor is at work; edits made while it started are sent to it. */
  runs(actor: HostedActor): void {
    const { name } = actor;
    this.#running.set(name, actor);
    void actor.exited.then(() => {
      if (this.#running.get(name) === actor) this.#running.delete(name);
    });
    if (this.#isBehind(name)) void this.settle(name);
  }

  /** The actor has applied what it was given last. */
  changed(name: string): void {
    this.#changed.get(name)?.();
  }

  /** Number of actors that have not applied the newest edit yet. */
  get behind(): number {
    return [...this.#given.keys()].filter((name) => this.#isBehind(name)).length;
  }

  /** Starts no further step. */
  stop(): void {
    this.#stopping = true;
  }

  /** Brings an actor to what is wanted of it, when its turn comes. Never rejects. */
  async settle(name: string): Promise<void> {
    // An actor that was removed is not waited for.
    if (this.#isBehind(name) || this.steps.wanted(name) === undefined) this.changed(name);
    await this.#inTurn(name, () => this.#bring(name));
  }

  /** Starts a new process without a crash history, replacing one that runs, waits for its restart or is quarantined. */
  async restart(name: string): Promise<void> {
    await this.#inTurn(name, async () => {
      const { wanted, child, replace } = this.steps;
      if (!this.#stopping && wanted(name) !== undefined && child(name) !== undefined) await replace(name);
    });
  }

  async #inTurn(name: string, step: () => Promise<void>): Promise<void> {
    const settled = (this.#settling.get(name) ?? Promise.resolve()).then(step);
    this.#settling.set(name, settled);
    await settled;
    if (this.#settling.get(name) === settled) this.#settling.delete(name);
  }

  async #bring(name: string): Promise<void> {
    const { wanted, child, start, remove } = this.steps;
    if (this.#stopping) return;
    if (wanted(name) === undefined) {
      this.#given.delete(name);
      await remove(name);
    } else if (child(name) === undefined) await start(name);
    else if (wanted(name)?.kind !== 'camera') await this.#adapt(name);
    else if (this.#isBehind(name)) await this.#turns.pass(() => this.#adapt(name));
  }

  #isBehind(name: string): boolean {
    const [given, wanted] = [this.#given.get(name), this.steps.wanted(name)];
    return given !== undefined && wanted !== undefined && changedParameters(given, wanted).length > 0;
  }

  async #adapt(name: string): Promise<void> {
    const [given, wanted] = [this.#given.get(name), this.steps.wanted(name)];
    if (this.#stopping || given === undefined || wanted === undefined || !this.#isBehind(name)) return;
    const actor = this.#running.get(name);
    // An actor being started gets the newest settings when it runs; one that waits for its restart is replaced at once.
    if (actor === undefined && this.steps.child(name)?.state.name === 'starting') return;
    if (actor === undefined || needsNewProcess(given, wanted)) await this.steps.replace(name);
    else await this.#send(actor, wanted);
  }

  async #send(actor: HostedActor, wanted: WantedActor): Promise<void> {
    const { name } = actor;
    const changed = new Promise<void>((resolve) => this.#changed.set(name, resolve));
    this.#given.set(name, wanted);
    actor.send({ kind: 'parameters', parameters: wanted.actor.parameters });
    await withDeadline(Promise.race([changed, actor.exited]), TURN_MS);
    this.#changed.delete(name);
  }
}
