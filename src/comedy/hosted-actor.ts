/** An actor as its supervisor sees it: its start parameters, its operations, and how it ends. */
import type { ActorMode } from '../config/topology';
import { Fault, type FaultRecord } from '../fault/fault';
import type { ProcessExit } from '../os/child-process';
import type { HostCommand } from './host-messages';

export interface ActorSpec {
  /** Unique among running actors; shown by `ps`. */
  readonly name: string;
  readonly mode: ActorMode;
  /** Absolute path of the actor module. */
  readonly module: string;
  readonly parameters: unknown;
}

export interface ActorExit extends ProcessExit {
  /** How its process ended, or what it was killed for: a sentence without its subject. */
  readonly fault: FaultRecord;
}

export interface HostedActor {
  readonly name: string;
  /** Process id; the daemon's own for an actor in memory. */
  readonly pid: number;
  /** Settles when the actor's process has ended, for whatever reason. Never rejects. */
  readonly exited: Promise<ActorExit>;
  /** The last lines of its process on both outputs; empty for an actor in memory, which writes to the daemon's. */
  readonly lastLines: readonly string[];
  /** Lets the actor do its work; until then it only holds its process ready. From now on its heartbeats are awaited. */
  begin(): void;
  /** Never throws: a message to an actor that has died is lost with it. */
  send(command: HostCommand): void;
  /** Asks the actor to stop, waits until the deadline, then kills; resolves when its process has gone. */
  stop(deadlineMs: number): Promise<void>;
}

/** The process of an actor ended, or was killed, before it accepted messages. */
export class ActorStartFault extends Fault {
  constructor(
    { message }: Error,
    readonly pid: number,
    readonly lastLines: readonly string[],
  ) {
    super('actor-start', `did not start: ${message}`);
  }
}
