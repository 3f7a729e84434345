/** Carries what one actor reports to the actor that needs it, and remembers what a new one must be told again. */
import type { CameraState, Gap } from '../contract/message';
import type { ShellCommand } from '../comedy/actor-side';
import type { ActorCommand, ActorReport } from '../protocol/messages';
import type { Accounting } from './accounting';
import type { HostedActor } from '../comedy/host';

export class ReportRouter {
  /** Running actors by name. */
  readonly #running = new Map<string, HostedActor>();
  /** The state each camera reported last. */
  readonly #cameraStates = new Map<string, CameraState>();

  constructor(private readonly accounting: Pick<Accounting, 'began' | 'cameraState' | 'onReport'>) {}

  /** The actor takes part from now on. */
  join(actor: HostedActor): void {
    this.#running.set(actor.name, actor);
    this.accounting.began(actor.name);
    // A notifier that is new tells again what state each camera is in.
    if (actor.name === 'notifier')
      for (const state of this.#cameraStates.values()) actor.send({ kind: 'camera-state', state });
  }

  leave(actor: HostedActor): void {
    if (this.#running.get(actor.name) !== actor) return;
    this.#running.delete(actor.name);
    // The store waits for every answer the notifier owes.
    if (actor.name === 'notifier') this.#send('store', { kind: 'notifier-lost' });
  }

  broadcast(command: ShellCommand): void {
    for (const actor of this.#running.values()) actor.send(command);
  }

  cameraState(camera: string): CameraState | undefined {
    return this.#cameraStates.get(camera);
  }

  /** A camera entered a state, by its own word or by what became of its actor. */
  tellState(state: CameraState): void {
    this.#cameraStates.set(state.camera, state);
    this.accounting.cameraState(state);
    this.#send('notifier', { kind: 'camera-state', state });
  }

  /** A notifier that is not there is told again when it has come: the ledger sees to it. */
  tellGap(gap: Gap): void {
    this.#send('notifier', { kind: 'gap', gap });
  }

  /** The camera is no longer wanted: a notifier that is new need not tell of it. */
  forgetCamera(camera: string): void {
    this.#cameraStates.delete(camera);
  }

  route(name: string, report: ActorReport): void {
    this.accounting.onReport(report);
    switch (report.kind) {
      case 'frame':
      case 'announced':
        this.#send('store', report);
        break;
      case 'announce':
        if (this.#running.has('notifier')) this.#send('notifier', report);
        else this.#send('store', { kind: 'notifier-lost' });
        break;
      case 'camera-state':
        this.tellState(report.state);
        break;
      case 'readiness':
        if (name === 'notifier' && report.fault === undefined)
          this.#send('store', { kind: 'notifier-ready' });
        break;
      // The ledger's alone: a gap is told by it, once.
      case 'periods':
      case 'gap':
      case 'gap-told':
      case 'serving':
      case 'delivered':
      case 'dropped':
      case 'evicted':
      case 'heartbeat':
      case 'changed':
      case 'feed-said':
        break;
    }
  }

  #send(name: string, command: ActorCommand): void {
    this.#running.get(name)?.send(command);
  }
}
