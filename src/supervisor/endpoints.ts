/** endpoints.json: where clients find the servers, the page and the API. */
import type { Topology } from '../config/topology';
import { etcdEndpoint } from '../etcd/socket';
import type { Log } from '../log/log';
import type { DataDirectory } from './data-directory';
import type { EmbeddedServers } from './embedded-servers';

export class EndpointsFile {
  /** Where the web actor serves, or did before it ended. */
  #httpUrl: string | undefined;

  constructor(
    private readonly data: DataDirectory,
    private readonly servers: EmbeddedServers,
    private readonly log: Log,
  ) {}

  /** @throws if the file cannot be written */
  write({ redis, rabbitmq, fleet, http }: Topology): void {
    if (http === undefined) this.#httpUrl = undefined;
    this.data.writeEndpoints({
      redis: this.servers.urlOf(redis, 'redis', 'url'),
      amqp: this.servers.urlOf(rabbitmq, 'rabbitmq', 'url'),
      ...(fleet?.etcd === 'embedded' ? { etcd: etcdEndpoint(this.data.path('etcd')) } : {}),
      ...(this.#httpUrl === undefined ? {} : { http: this.#httpUrl }),
    });
  }

  /** Like {@link write}, but only warns: on a full disk a daemon delivers from memory; only clients need this file. */
  writeIfPossible(topology: Topology): void {
    try {
      this.write(topology);
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      const file = this.data.path('endpoints.json');
      this.log.warn(`${file} cannot be written (${code}); clients that read it may not find the servers`, {
        code: 'endpoints-write',
      });
    }
  }

  /** The web actor serves at this address. */
  serving(url: string, topology: Topology): void {
    if (url === this.#httpUrl) return;
    this.#httpUrl = url;
    this.log.info(`the page and the API are at ${url}`);
    this.writeIfPossible(topology);
  }
}
