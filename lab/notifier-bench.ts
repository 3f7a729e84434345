/** The notifier on a private RabbitMQ that a test may break, and what it reports, says and publishes. */
import { after, afterEach, before } from 'node:test';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import startNotifier from '../src/actors/notifier/actor';
import type { Frame } from '../src/contract/frame';
import type { ServiceSpec } from '../src/config/topology';
import type { Actor, ActorContext } from '../src/protocol/actor';
import type { ActorReport, NotifierParameters } from '../src/protocol/messages';
import { startBroker, type Broker } from './broker';
import { waitUntil } from './process';

const QUEUE = {
  name: 'v.detection',
  maxLength: 1000,
  overflow: 'reject-publish',
  deliveryLimit: 5,
  required: true,
} as const;

export interface NotifierBench {
  readonly actor: Actor;
  readonly reports: readonly ActorReport[];
  readonly lines: readonly string[];
  /** Faults of the frames answered so far, by capture time; undefined is a confirm. */
  readonly answers: ReadonlyMap<number, string | undefined>;
  announce(...capturedAt: number[]): void;
  /** Announces again whatever was refused, as the store does, until all are confirmed. */
  confirmed(...capturedAt: number[]): Promise<void>;
  readonly fault: () => string | undefined;
  /** As a live edit does. */
  change(parameters: Partial<NotifierParameters>): Promise<void>;
}

/** One broker for all tests of a suite; what a test opened and declared is removed when it ends. */
export class NotifierStage {
  broker!: Broker;
  channel!: Channel;
  #connection!: ChannelModel;
  readonly #benches = new Set<NotifierBench>();

  /** Call it in a suite: it adds the hooks that start the broker and stop it. */
  static inSuite(): NotifierStage {
    const stage = new NotifierStage();
    before(async () => {
      stage.broker = await startBroker();
      await stage.connect();
    });
    afterEach(() => stage.#clear());
    after(async () => {
      await stage.#connection.close().catch(() => undefined);
      await stage.broker.stop();
    });
    return stage;
  }

  /** Opens the test's own connection; again when the broker has been started again. */
  async connect(): Promise<void> {
    this.#connection = await connect(this.broker.url);
    this.#connection.on('error', () => undefined);
    this.channel = await this.#connection.createChannel();
  }

  async #clear(): Promise<void> {
    await Promise.all([...this.#benches].map((bench) => this.close(bench)));
    const queues = ['v.detection', 'v.plates', 'v.people', 'v.alarm'];
    for (const queue of [...queues, ...queues.map((name) => `${name}.dead`), 'v.other'])
      await this.channel.deleteQueue(queue);
    for (const exchange of ['v.frames', 'v.services', 'v.detection', ...queues.map((name) => `${name}.dead`)])
      await this.channel.deleteExchange(exchange);
  }

  open(
    amqpUrl = this.broker.url,
    queue: { name?: string; maxLength?: number; required?: boolean } = {},
    namespace = 'v',
    queuesFile?: string,
    services: readonly ServiceSpec[] = [],
  ): NotifierBench {
    const reports: ActorReport[] = [];
    const lines: string[] = [];
    const answers = new Map<number, string | undefined>();
    const write = (message: string) => lines.push(message);
    let fault: string | undefined = 'starting';
    const context: ActorContext<NotifierParameters> = {
      parameters: {
        amqpUrl,
        namespace,
        expireMs: 120_000,
        queue: { ...QUEUE, ...queue },
        ...(queuesFile === undefined ? {} : { queuesFile }),
        services,
      },
      log: { error: write, warn: write, info: write, debug: write },
      report: (report) => {
        reports.push(report);
        if (report.kind === 'announced') answers.set(Number(report.id.split('-')[1]), report.fault?.code);
        if (report.kind === 'readiness') fault = report.fault?.code;
      },
    };
    const actor = startNotifier(context);
    const announce = (...times: number[]) => {
      for (const at of times) actor.receive({ kind: 'announce', frame: frameOf(at), delayed: false });
    };
    const bench: NotifierBench = {
      actor,
      reports,
      lines,
      answers,
      announce,
      fault: () => fault,
      change: async (parameters) => {
        (context as { parameters: NotifierParameters }).parameters = { ...context.parameters, ...parameters };
        await actor.changed?.();
      },
      confirmed: async (...times) => {
        await waitUntil(
          `${times.length} are confirmed`,
          () => {
            const refused = times.filter((at) => answers.has(at) && answers.get(at) !== undefined);
            for (const at of refused) answers.delete(at);
            announce(...refused);
            return times.every((at) => answers.has(at) && answers.get(at) === undefined);
          },
          30_000,
        ).catch((error: unknown) => {
          const seen = JSON.stringify([...answers].filter(([at]) => times.includes(at)));
          throw new Error(`${(error as Error).message}; answers ${seen}; it said:\n${lines.join('\n')}`);
        });
      },
    };
    this.#benches.add(bench);
    return bench;
  }

  async close(bench: NotifierBench): Promise<void> {
    this.#benches.delete(bench);
    await bench.actor.stop();
  }

  /** Resolves with the notifier when it is ready. */
  async ready(...parameters: Parameters<NotifierStage['open']>): Promise<NotifierBench> {
    const bench = this.open(...parameters);
    await waitUntil('it is ready', () => bench.fault() === undefined, 30_000);
    return bench;
  }

  /** The broker's URL for another user, whose password is `secret`. */
  urlOf(user: string): string {
    return this.broker.url.replace(/\/\/.*@/, `//${user}:secret@`);
  }

  /** Capture times of the messages in a queue, which are taken out. */
  async drained(queue = 'v.detection'): Promise<number[]> {
    const times: number[] = [];
    for (;;) {
      const message = await this.channel.get(queue, { noAck: true });
      if (message === false) return times;
      times.push(
        (JSON.parse(message.content.toString()) as { data: { capturedAt: number } }).data.capturedAt,
      );
    }
  }

  /** Process ids, in the broker, of the connections of a name. */
  async connectionsOf(name: string): Promise<string[]> {
    return (await this.broker.control('list_connections', 'pid', 'client_properties'))
      .split('\n')
      .filter((line) => line.includes(`"${name}"`))
      .map((line) => line.split('\t')[0] ?? '');
  }
}

function frameOf(capturedAt: number): Frame {
  return { camera: 'c', capturedAt, sequence: capturedAt, width: 1, height: 1, format: 'jpeg', bytes: 1 };
}
