/** The private Redis, RabbitMQ and etcd of a daemon: prepared, kept running as children, found by their addresses. */
import type { ChildSpec, ServerSpec, Topology } from '../config/topology';
import type { EmbeddedService } from '../embedded/service';
import type { FaultRecord } from '../fault/fault';
import type { Log } from '../log/log';
import type { Child } from './child';
import type { DataDirectory } from './data-directory';
import { serviceChild } from './service-child';
import { childStatus, type ChildStatus } from './status';

export interface EmbeddedServersOptions {
  readonly data: Pick<DataDirectory, 'folder'>;
  readonly log: Log;
  /** Their current child spec. */
  readonly spec: () => ChildSpec;
  /** A server exceeded its intensity. */
  readonly onEscalation: (fault: FaultRecord) => void;
}

export class EmbeddedServers {
  #services: readonly EmbeddedService[] = [];
  #children: readonly Child[] = [];

  constructor(private readonly options: EmbeddedServersOptions) {}

  /** The servers that run, or are to run. */
  get services(): readonly EmbeddedService[] {
    return this.#services;
  }

  /**
   * Chooses ports and passwords of the servers that `topology` wants; starts nothing.
   * @throws Fault `port-in-use` or `missing-program`
   */
  async prepare({ redis, rabbitmq, fleet }: Pick<Topology, 'redis' | 'rabbitmq' | 'fleet'>): Promise<void> {
    const { data, log } = this.options;
    const services: EmbeddedService[] = [];
    // Loaded only where needed: their clients account for a tenth of the start-up time of a daemon on remote servers.
    if (redis.kind === 'embedded') {
      const { prepareRedis } = await import('../embedded/redis');
      services.push(await prepareRedis(data.folder('redis'), redis, log));
    }
    if (rabbitmq.kind === 'embedded') {
      const { prepareRabbitmq } = await import('../embedded/rabbitmq');
      services.push(await prepareRabbitmq(data.folder('rabbitmq'), rabbitmq.port, log));
    }
    if (fleet?.etcd === 'embedded') {
      const { prepareEtcd } = await import('../embedded/etcd');
      services.push(await prepareEtcd(data.folder('etcd'), log));
    }
    this.#services = services;
  }

  /**
   * Resolves when all run.
   * @throws Fault `service-start` when one cannot run here
   */
  async start(signal: AbortSignal): Promise<void> {
    const { spec, log, onEscalation } = this.options;
    const children = this.#services.map((service) => serviceChild(service, spec, log, onEscalation));
    this.#children = children;
    const cancel = () => {
      for (const child of children) void child.stop();
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      await Promise.all(children.map((child) => child.start()));
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()));
  }

  /** The server has answered an actor. */
  worked(name: EmbeddedService['name']): void {
    this.#children.find((child) => child.name === name)?.worked();
  }

  status(): ChildStatus[] {
    return this.#children.map((child) => childStatus(child, 'service'));
  }

  /** @param whose `url` is for clients, `ownUrl` for the daemon's actors */
  urlOf(spec: ServerSpec, name: EmbeddedService['name'], whose: 'url' | 'ownUrl'): string {
    if (spec.kind === 'remote') return spec.url;
    // No such server runs if an edit needs a restart of the daemon; nothing is then started with this URL.
    return this.#services.find((service) => service.name === name)?.[whose] ?? '';
  }
}
