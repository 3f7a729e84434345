/** What an embedded server is to the supervisor. */
import type { ServerProcess } from './server-process';

export interface EmbeddedService {
  readonly name: 'redis' | 'rabbitmq';
  /** With credentials; the same across restarts of the server. */
  readonly url: string;
  /** Starts the server and resolves when it answers. Throws a Fault when it does not within `startMs`. */
  start(startMs: number): Promise<ServerProcess>;
  stop(deadlineMs: number): Promise<void>;
}
