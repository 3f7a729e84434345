/** What an embedded server is to the supervisor. */
import type { ServerProcess } from './server-process';

/** What is remembered of a server between two runs of the daemon, so that its clients need not change. */
export interface ServiceMemory {
  readonly port: number;
  readonly password: string;
  readonly distPort?: number;
  readonly epmdPort?: number;
}

export interface EmbeddedService {
  readonly name: 'redis' | 'rabbitmq';
  /** With credentials; the same across restarts of the server. */
  readonly url: string;
  readonly memory: ServiceMemory;
  /** Starts the server and resolves when it answers. Throws a Fault when it does not. */
  start(): Promise<ServerProcess>;
  stop(deadlineMs: number): Promise<void>;
}
