/** The supervisor's view of an embedded server. */
import type { BrokerView } from '../connections/bound-queues';
import type { ServerProcess } from './server-process';

export interface EmbeddedService {
  readonly name: 'redis' | 'rabbitmq' | 'etcd';
  /** With credentials; the same across restarts of the server. */
  readonly url: string;
  /** The same for the daemon's own processes: another process that has taken the server's port is not mistaken for it. */
  readonly ownUrl: string;
  /** Starts the server and resolves when it answers. Throws a Fault when it does not within `startMs`. */
  start(startMs: number): Promise<ServerProcess>;
  stop(deadlineMs: number): Promise<void>;
  /** The present state of the broker; RabbitMQ only. Throws a Fault if it does not answer. */
  view?(): Promise<BrokerView>;
}
