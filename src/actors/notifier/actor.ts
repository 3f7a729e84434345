/** The notifier actor: announces stored frames, state changes and gaps on RabbitMQ. */
import { performance } from 'node:perf_hooks';
import { cameraStateChanged, frameSampled, framesMissed } from '../../contract/events';
import type { CameraState, Gap, VigilEvent } from '../../contract/message';
import { frameId, type Frame } from '../../contract/frame';
import { tagsOf } from '../../contract/tags';
import { frameExchange, routingKey, type EventKind } from '../../contract/topology';
import { RecurringFault } from '../../fault/recurring';
import { startLoop, type Actor, type ActorContext, type ActorLoop } from '../../protocol/actor';
import type { FaultRecord } from '../../fault/fault';
import type { ActorCommand, NotifierParameters } from '../../protocol/messages';
import type { Progress } from '../../protocol/progress';
import { Others } from './others';
import type { Publication } from './publication';
import { Publisher } from './publisher';
import type { TopologyNote } from './declarations';
import { BrokerTopology } from './topology';

/** A message dies before its frame does, so that no consumer looks for a frame that has expired. */
const MESSAGE_LIFE_SHARE = 0.9;
/** By then the heartbeat has given up a broker that confirms nothing. */
const STUCK_MS = 60_000;
/** Events about cameras kept while the broker is away; of states only the newest of each camera. */
const MAX_WAITING_GAPS = 1000;

export default function startNotifier(context: ActorContext<NotifierParameters>): Actor {
  return startLoop(new NotifierActor(context));
}

class NotifierActor implements ActorLoop {
  readonly #stopping = new AbortController();
  readonly #publisher: Publisher;
  readonly #others: Others;
  readonly #topology: BrokerTopology;
  readonly #faults: RecurringFault;
  readonly #othersFaults: RecurringFault;
  /** What was said of exchanges and queues. */
  readonly #noted = new Set<string>();
  #declaring = false;
  #wasReady = false;
  readonly #waitingStates = new Map<string, CameraState>();
  #publishing = false;
  #announced = 0;
  #moreWaits = false;
  #waitingGaps: { gap: Gap; noticedAt: number }[] = [];

  constructor(private readonly context: ActorContext<NotifierParameters>) {
    const { amqpUrl, namespace, queue, queuesFile } = context.parameters;
    this.#faults = new RecurringFault(context.log);
    this.#othersFaults = new RecurringFault(context.log);
    this.#topology = new BrokerTopology({
      url: amqpUrl,
      namespace,
      queue,
      queuesFile,
      onNote: (note) => this.#onNote(note),
    });
    this.#publisher = new Publisher({
      url: amqpUrl,
      name: 'vigil notifier',
      prepare: () => this.#topology.ready(),
      agreed: () => this.#topology.ensure(),
      fullness: () => this.#topology.fullness(),
      onUnroutable: (exchange) => void this.#declareAgain(exchange),
      onReadiness: (fault) => this.#onReadiness(fault),
    });
    const exchange = frameExchange(namespace);
    this.#others = new Others({
      url: amqpUrl,
      prepare: () => this.#topology.ready(),
      now: () => performance.now(),
      onReady: () => void this.#publishWaiting(),
      onMissed: ({ code, message }) => {
        const missed = `queues that others have bound to exchange ${exchange} may miss messages: ${message}`;
        this.#othersFaults.report({ code, message: missed });
      },
      onRejected: () => {
        const message = `a queue that others have bound to exchange ${exchange} refuses messages; it is full or failing, and misses them`;
        this.#othersFaults.report({ code: 'others-refuse', message });
      },
      onConfirmed: () =>
        this.#othersFaults.clear(`queues bound to exchange ${exchange} get all messages again`),
    });
  }

  receive(command: ActorCommand): void {
    switch (command.kind) {
      case 'announce':
        void this.#announce(command.frame, command.delayed);
        break;
      case 'camera-state':
        this.#waitingStates.set(command.state.camera, command.state);
        void this.#publishWaiting();
        break;
      case 'gap':
        this.#waitingGaps.push({ gap: command.gap, noticedAt: Date.now() });
        this.#waitingGaps.splice(0, this.#waitingGaps.length - MAX_WAITING_GAPS);
        void this.#publishWaiting();
        break;
      case 'frame':
      case 'announced':
      case 'notifier-lost':
      case 'notifier-ready':
        break;
    }
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    await Promise.all([this.#publisher.run(signal), this.#others.run(signal), this.#topology.watch(signal)]);
  }

  progress(): Progress {
    const { settled, unsettled, confirmMs, fault, trouble } = this.#publisher;
    return {
      done: settled,
      fault,
      dueMs: unsettled > 0 && fault === undefined ? STUCK_MS : undefined,
      facts: {
        rabbitmq: (fault ?? trouble)?.code ?? 'ready',
        announced: this.#announced,
        unconfirmed: unsettled,
        ...(confirmMs === undefined ? {} : { confirmMs: Math.round(confirmMs * 10) / 10 }),
        ...this.#topology.facts,
      },
    };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
  }

  async #announce(frame: Frame, delayed: boolean): Promise<void> {
    const { namespace, expireMs, queue, tags = {}, node, tracing = false } = this.context.parameters;
    const trace = tracing ? (await import('./frame-trace')).traceFrame(frame) : undefined;
    // Until then the route is not known.
    await this.#publisher.begun();
    const publication = {
      exchange: frameExchange(namespace),
      routingKey: routingKey(frame.camera, 'frame'),
      event: frameSampled(namespace, frame, delayed, Date.now(), tagsOf(tags, frame.camera), node),
      lifeMs: expireMs * MESSAGE_LIFE_SHARE,
      ...(trace === undefined ? {} : { traceparent: trace.traceparent }),
    };
    const fault =
      this.#topology.route === 'shared'
        ? await this.#publisher.publish({ ...publication, mandatory: true })
        : await this.#announceTwice(publication, queue.name);
    trace?.end(fault);
    if (fault === undefined) this.#announced++;
    const reported = fault?.code === 'unroutable' ? this.#withHindrance(fault) : fault;
    this.context.report({ kind: 'announced', id: frameId(frame), fault: reported });
  }

  /** To the detection queue alone, and to whoever has bound a queue of his own. */
  async #announceTwice(
    publication: Omit<Publication, 'mandatory'>,
    queue: string,
  ): Promise<FaultRecord | undefined> {
    const own = { ...publication, exchange: queue, mandatory: true };
    const [fault, others] = await Promise.all([
      this.#publisher.publish(own),
      this.#others.offer({ ...publication, mandatory: false }),
    ]);
    return fault ?? others;
  }

  #withHindrance({ code, message }: FaultRecord): FaultRecord {
    const { hindrance } = this.#topology;
    return { code, message: hindrance === undefined ? message : `${message}: ${hindrance}` };
  }

  /** Each is logged once. What another user has declared is not a fault. */
  #onNote({ message, isFault }: TopologyNote): void {
    if (this.#noted.has(message)) return;
    this.#noted.add(message);
    if (isFault) this.context.log.warn(message, { code: 'broker-topology' });
    else this.context.log.info(message, { code: 'broker-topology' });
  }

  /** One loop at a time, however many events come: it takes them all. */
  async #publishWaiting(): Promise<void> {
    this.#moreWaits = true;
    if (this.#publishing) return;
    this.#publishing = true;
    while (this.#moreWaits) {
      this.#moreWaits = false;
      await this.#publishAllWaiting();
    }
    this.#publishing = false;
  }

  async #publishAllWaiting(): Promise<void> {
    const { namespace, node } = this.context.parameters;
    for (const [camera, state] of [...this.#waitingStates]) {
      if (!(await this.#publishEvent(camera, 'state', cameraStateChanged(namespace, state, node)))) return;
      if (this.#waitingStates.get(camera) === state) this.#waitingStates.delete(camera);
    }
    for (const waiting of [...this.#waitingGaps]) {
      const { gap, noticedAt } = waiting;
      if (!(await this.#publishEvent(gap.camera, 'gap', framesMissed(namespace, gap, noticedAt, node))))
        return;
      this.#waitingGaps = this.#waitingGaps.filter((other) => other !== waiting);
      this.context.report({ kind: 'gap-told', gap });
    }
  }

  /** Events about cameras need not reach a queue: who wants them binds one. False when the broker took none. */
  async #publishEvent(camera: string, kind: EventKind, event: VigilEvent): Promise<boolean> {
    const exchange = frameExchange(this.context.parameters.namespace);
    const publication = { exchange, routingKey: routingKey(camera, kind), event, mandatory: false };
    return (await this.#others.publish(publication)) === undefined;
  }

  /** A message reached no queue: the queue was deleted. */
  async #declareAgain(exchange: string): Promise<void> {
    if (this.#declaring) return;
    this.#declaring = true;
    await this.#topology.restore(
      exchange === frameExchange(this.context.parameters.namespace) ? 'shared' : 'direct',
    );
    this.#declaring = false;
  }

  #onReadiness(fault: FaultRecord | undefined): void {
    if (this.#stopping.signal.aborted) return;
    this.context.report({ kind: 'readiness', fault });
    if (fault !== undefined) {
      this.#faults.report(fault);
      return;
    }
    if (!this.#wasReady) this.context.log.info('rabbitmq is ready');
    this.#wasReady = true;
    this.#faults.clear('rabbitmq is ready again: frames are announced');
  }
}
