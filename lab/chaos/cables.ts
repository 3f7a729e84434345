/** What lies between one daemon and its servers: a proxy for each, which may be cut. */
import { hostsOf } from '../../src/url/url';
import { FaultProxy, type Network } from '../fault-proxy';

/** Undefined where a URL names several servers: those find each other, and their clients them, past any proxy. */
export async function proxyOf(url: string): Promise<FaultProxy | undefined> {
  return hostsOf(url).length > 1 ? undefined : FaultProxy.start(Number(new URL(url).port));
}

export function through(url: string, proxy: FaultProxy | undefined): string {
  if (proxy === undefined) return url;
  const changed = new URL(url);
  changed.port = String(proxy.port);
  return changed.href;
}

export type Cable = 'etcd' | 'redis' | 'rabbitmq';

export interface CablesOptions {
  readonly etcd: readonly string[];
  readonly redisUrl: string;
  readonly amqpUrl: string;
}

/** Those of one node of a fleet. */
export class Cables {
  private constructor(
    private readonly proxies: Readonly<Record<Cable, readonly FaultProxy[]>>,
    /** What the node is given instead of the servers' own addresses. */
    readonly config: { readonly etcd: readonly string[]; readonly redis: string; readonly rabbitmq: string },
  ) {}

  static async lay({ etcd, redisUrl, amqpUrl }: CablesOptions): Promise<Cables> {
    const ways = await Promise.all(etcd.map((endpoint) => proxyOf(endpoint)));
    const [redis, rabbitmq] = [await proxyOf(redisUrl), await proxyOf(amqpUrl)];
    const all = (...proxies: (FaultProxy | undefined)[]) => proxies.filter((proxy) => proxy !== undefined);
    return new Cables(
      { etcd: all(...ways), redis: all(redis), rabbitmq: all(rabbitmq) },
      {
        etcd: etcd.map((endpoint, i) => new URL(through(endpoint, ways[i])).origin),
        redis: through(redisUrl, redis),
        rabbitmq: through(amqpUrl, rabbitmq),
      },
    );
  }

  set(cables: readonly Cable[], network: Network): void {
    for (const cable of cables) {
      const proxies = this.proxies[cable];
      if (proxies.length === 0) throw new Error(`several ${cable} have no proxy`);
      for (const proxy of proxies) proxy.network = network;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.proxies).flatMap((each) => each.map((proxy) => proxy.stop())));
  }
}
