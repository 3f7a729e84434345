/** What an embedded server is to the supervisor. */
import type { BrokerView } from '../connections/bound-queues';
import type { ServerProcess } from './server-process';

export interface EmbeddedService {
  readonly name: 'redis' | 'rabbitmq' | 'etcd';
  /** With credentials; the same across restarts of the server. */
  readonly url: string;
  /** The same for the daemon's own processes: whoever has taken the server's port is not taken for it. */
  readonly ownUrl: string;
  /** Starts the server and resolves when it answers. Throws a Fault when it does not within `startMs`. */
  start(startMs: number): Promise<ServerProcess>;
  stop(deadlineMs: number): Promise<void>;
  /** What is on the broker now; of RabbitMQ only. Throws a Fault where it does not answer. */
  view?(): Promise<BrokerView>;
}
