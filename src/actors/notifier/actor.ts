/** The notifier actor: announces stored frames, state changes and gaps on RabbitMQ. */
import { performance } from 'node:perf_hooks';
import { frameSampled } from '../../contract/events';
import type { VigilEvent } from '../../contract/message';
import { frameId, type Frame } from '../../contract/frame';
import { tagsOf } from '../../contract/tags';
import { frameExchange, routingKey, type EventKind } from '../../contract/broker-names';
import { RecurringFault } from '../../fault/recurring';
import { startLoop, type Actor, type ActorContext, type ActorLoop } from '../../protocol/actor';
import type { FaultRecord } from '../../fault/fault';
import type { ActorCommand, NotifierParameters } from '../../protocol/messages';
import type { Progress } from '../../protocol/progress';
import { CameraEvents } from './camera-events';
import { Others } from './others';
import type { OutgoingMessage } from './outgoing-message';
import { Publisher } from './publisher';
import type { TopologyNote } from './declarations';
import { Services } from './services';
import { BrokerTopology } from './broker-topology';

/** A message dies before its frame does, so that no consumer looks for a frame that has expired. */
const MESSAGE_LIFE_SHARE = 0.9;
/** Before this time, the connection to a broker that confirms nothing has been closed. */
const STUCK_MS = 60_000;

export default function startNotifier(context: ActorContext<NotifierParameters>): Actor {
  return startLoop(new NotifierActor(context));
}

class NotifierActor implements ActorLoop {
  readonly #stopping = new AbortController();
  readonly #publisher: Publisher;
  readonly #others: Others;
  readonly #topology: BrokerTopology;
  readonly #services: Services;
  readonly #events: CameraEvents;
  readonly #faults: RecurringFault;
  readonly #othersFaults: RecurringFault;
  /** Notes on exchanges and queues that were logged already. */
  readonly #noted = new Set<string>();
  #declaring = false;
  #wasReady = false;
  #announced = 0;

  constructor(private readonly context: ActorContext<NotifierParameters>) {
    const { amqpUrl, namespace, queue, queuesFile, services = [], removedServices = [] } = context.parameters;
    const now = () => performance.now();
    const onNote = (note: TopologyNote) => this.#onNote(note);
    this.#faults = new RecurringFault(context.log);
    this.#othersFaults = new RecurringFault(context.log);
    this.#topology = new BrokerTopology({
      url: amqpUrl,
      namespace,
      queue,
      others: services.map((service) => service.queue),
      queuesFile,
      onNote,
    });
    this.#services = new Services({
      ...{
        url: amqpUrl,
        namespace,
        queue,
        services,
        removed: removedServices,
        log: context.log,
        now,
        onNote,
      },
      detectionConsumers: () => this.#topology.consumers,
      onReady: () => void this.#events.publish(),
    });
    this.#publisher = new Publisher({
      url: amqpUrl,
      name: 'vigil notifier',
      prepare: async () => {
        await this.#topology.ready();
        await this.#services.declared();
      },
      agreed: () => this.#topology.ensure(),
      fullness: () => this.#topology.fullness(),
      onUnroutable: (exchange) => void this.#declareAgain(exchange),
      onReadiness: (fault) => this.#onReadiness(fault),
    });
    this.#events = new CameraEvents({
      ...{ namespace, node: context.parameters.node },
      publish: (camera, kind, event) => this.#publishEvent(camera, kind, event),
      onGapTold: (gap) => context.report({ kind: 'gap-told', gap }),
    });
    const exchange = frameExchange(namespace);
    this.#others = new Others({
      url: amqpUrl,
      name: 'vigil notifier others',
      prepare: () => this.#topology.ready(),
      now,
      onReady: () => void this.#events.publish(),
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

  /** The services may have changed; other parameters are read when they are needed. */
  async changed(): Promise<void> {
    const { services = [], removedServices = [] } = this.context.parameters;
    this.#services.change(services, removedServices);
    await this.#topology.changed(services.map(({ queue }) => queue));
  }

  receive(command: ActorCommand): void {
    switch (command.kind) {
      case 'announce':
        void this.#announce(command.frame, command.delayed);
        break;
      case 'camera-state':
        this.#events.addState(command.state);
        break;
      case 'gap':
        this.#events.addGap(command.gap);
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
    const runs = [this.#publisher, this.#others, this.#services].map((part) => part.run(signal));
    await Promise.all([...runs, this.#topology.watch(signal)]);
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
        ...this.#services.facts,
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
    const ofCamera = tagsOf(tags, frame.camera);
    const services = this.#services.of(frame.camera, ofCamera, 'frame');
    const [nowMs, lifeMs] = [Date.now(), expireMs * MESSAGE_LIFE_SHARE];
    const fate = { recipients: this.#services.recipients(services), expiresAtMs: nowMs + lifeMs };
    const publication = {
      exchange: frameExchange(namespace),
      routingKey: routingKey(frame.camera, 'frame'),
      event: frameSampled(namespace, frame, delayed, nowMs, ofCamera, { ...fate, node }),
      lifeMs,
      ...(trace === undefined ? {} : { traceparent: trace.traceparent }),
    };
    const [own, missed] = await Promise.all([
      this.#topology.route === 'shared'
        ? this.#publisher.publish({ ...publication, mandatory: true })
        : this.#announceTwice(publication, queue.name),
      this.#services.offer(services, publication),
    ]);
    const fault = own ?? missed;
    trace?.end(fault);
    if (fault === undefined) this.#announced++;
    const reported = fault?.code === 'unroutable' ? this.#withHindrance(fault) : fault;
    this.context.report({ kind: 'announced', id: frameId(frame), fault: reported });
  }

  /** Publishes a frame twice: to the detection queue alone, and to the queues that others have bound. */
  async #announceTwice(
    publication: Omit<OutgoingMessage, 'mandatory'>,
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

  /** Logs each note once. An object declared by another user is not a fault. */
  #onNote({ message, isFault }: TopologyNote): void {
    if (this.#noted.has(message)) return;
    this.#noted.add(message);
    if (isFault) this.context.log.warn(message, { code: 'broker-topology' });
    else this.context.log.info(message, { code: 'broker-topology' });
  }

  /** Events about cameras need not reach a queue: a consumer that wants them binds one. False if the broker accepted none. */
  async #publishEvent(camera: string, kind: EventKind, event: VigilEvent): Promise<boolean> {
    const { namespace, tags = {} } = this.context.parameters;
    const services = this.#services.of(camera, tagsOf(tags, camera), kind);
    if ((await this.#services.offer(services, { event })) !== undefined) return false;
    const exchange = frameExchange(namespace);
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
    this.#services.renew();
    if (!this.#wasReady) this.context.log.info('rabbitmq is ready');
    this.#wasReady = true;
    this.#faults.clear('rabbitmq is ready again: frames are announced');
  }
}
