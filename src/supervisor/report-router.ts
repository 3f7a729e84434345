/** Passes each report of an actor to all that need it, and keeps what a new notifier must be sent again. */
import type { Frame } from '../contract/frame';
import type { HostCommand } from '../comedy/host-messages';
import type { HostedActor } from '../comedy/hosted-actor';
import type { CameraState, Gap } from '../contract/message';
import type { ActorCommand, ActorReport } from '../protocol/messages';
import type { Accounting } from './accounting';
import type { BlackBox } from './black-box';
import { feedFaultOf, type FeedFault } from './camera-states';
import type { Deliveries } from './deliveries';
import type { FigureKeeper } from './figures';
import type { Serving } from './serving';

export interface Recipients {
  readonly accounting: Pick<Accounting, 'began' | 'cameraState' | 'onReport'>;
  readonly blackBox: Pick<BlackBox, 'heartbeat' | 'feedSaid'>;
  readonly deliveries: Pick<Deliveries, 'captured' | 'delivered'>;
  readonly figures: Pick<FigureKeeper, 'periods' | 'captured' | 'delivered' | 'dropped' | 'missed'>;
  readonly serving: Pick<Serving, 'readiness' | 'heartbeat'>;
  /** A camera has captured a frame. */
  readonly onWorked: (name: string, frame: Frame) => void;
  /** The web actor serves at this URL. */
  readonly onAddress: (url: string) => void;
  /** An actor has applied an edit. */
  readonly onChanged: (name: string) => void;
}

interface KnownFeed {
  /** Its last state. */
  readonly feed: CameraState;
  /** Why it has failed, until it streams. */
  readonly feedFault: FeedFault | undefined;
}

export class ReportRouter {
  /** Running actors by name. */
  readonly #running = new Map<string, HostedActor>();
  /** By camera. */
  readonly #feeds = new Map<string, KnownFeed>();

  constructor(private readonly recipients: Recipients) {}

  /** The actor's process runs: it receives commands from now on. */
  join(actor: HostedActor): void {
    this.#running.set(actor.name, actor);
    this.recipients.accounting.began(actor.name);
    if (actor.name === 'notifier')
      for (const { feed: state } of this.#feeds.values()) actor.send({ kind: 'camera-state', state });
  }

  leave(actor: HostedActor): void {
    if (this.#running.get(actor.name) !== actor) return;
    this.#running.delete(actor.name);
    // The store would wait for the answers that the notifier still owes.
    if (actor.name === 'notifier') this.#send('store', { kind: 'notifier-lost' });
  }

  broadcast(command: HostCommand): void {
    for (const actor of this.#running.values()) actor.send(command);
  }

  feedOf(camera: string): KnownFeed | undefined {
    return this.#feeds.get(camera);
  }

  /** A camera entered a state: one it reported, or one derived from the state of its process. */
  sendState(state: CameraState): void {
    const { camera } = state;
    const feedFault = feedFaultOf(state, this.feedOf(camera)?.feedFault);
    this.#feeds.set(camera, { feed: state, feedFault });
    this.recipients.accounting.cameraState(state);
    this.#send('notifier', { kind: 'camera-state', state });
  }

  /** If no notifier runs, the ledger has it sent to the next one. */
  sendGap(gap: Gap): void {
    this.recipients.figures.missed(gap);
    this.#send('notifier', { kind: 'gap', gap });
  }

  /** The camera was removed or disabled: a new notifier is not sent its state. */
  forgetCamera(camera: string): void {
    this.#feeds.delete(camera);
  }

  /** The one dispatch of reports. The ledger comes first: others act only on what it has counted. */
  route(name: string, report: ActorReport): void {
    const { accounting, blackBox, deliveries, figures, serving, onWorked, onAddress, onChanged } =
      this.recipients;
    accounting.onReport(report);
    switch (report.kind) {
      case 'frame':
        this.#send('store', report);
        onWorked(name, report.frame);
        deliveries.captured(report.frame);
        figures.captured(report.frame);
        break;
      case 'announce':
        if (this.#running.has('notifier')) this.#send('notifier', report);
        else this.#send('store', { kind: 'notifier-lost' });
        break;
      case 'announced':
        this.#send('store', report);
        break;
      case 'delivered':
        deliveries.delivered(report.frames);
        figures.delivered(report.frames);
        break;
      case 'camera-state':
        this.sendState(report.state);
        break;
      case 'readiness':
        if (name === 'notifier' && report.fault === undefined)
          this.#send('store', { kind: 'notifier-ready' });
        serving.readiness(name, report.fault);
        break;
      case 'heartbeat':
        blackBox.heartbeat(name, report.heartbeat);
        serving.heartbeat(name);
        break;
      case 'serving':
        onAddress(report.url);
        break;
      case 'changed':
        onChanged(name);
        break;
      case 'feed-said':
        blackBox.feedSaid(name, report.lines);
        break;
      case 'periods':
        figures.periods(report);
        break;
      case 'dropped':
        figures.dropped(report.frames);
        break;
      // Only the ledger needs these; it has each gap announced once.
      case 'gap':
      case 'gap-told':
      case 'evicted':
        break;
    }
  }

  #send(name: string, command: ActorCommand): void {
    this.#running.get(name)?.send(command);
  }
}
