/** A host whose actors are not processes: they do what the test says, and keep what is asked of them. */
import type { HostCommand } from '../src/comedy/host-messages';
import type { ActorExit, ActorSpec, HostedActor } from '../src/comedy/hosted-actor';
import type { ReportHandler } from '../src/comedy/host';
import type { LogLevel } from '../src/log/log';
import type { ActorReport } from '../src/protocol/messages';
import type { Host } from '../src/supervisor/actor-children';

export const KILLED: ActorExit = {
  code: null,
  signal: 'SIGKILL',
  fault: { code: 'crashed', message: 'ended by SIGKILL' },
};
const STOPPED: ActorExit = {
  code: 0,
  signal: null,
  fault: { code: 'crashed', message: 'ended with code 0' },
};

export class KeptActor implements HostedActor {
  readonly lastLines = ['the last line'];
  readonly got: HostCommand[] = [];
  #end: (exit: ActorExit) => void = () => undefined;
  readonly exited = new Promise<ActorExit>((resolve) => {
    this.#end = resolve;
  });

  constructor(
    readonly spec: ActorSpec,
    readonly pid: number,
    private readonly events: string[],
  ) {}

  get name(): string {
    return this.spec.name;
  }

  begin(): void {
    this.events.push(`begin ${this.name}`);
  }

  send(command: HostCommand): void {
    this.got.push(command);
  }

  /** Its process ends without being asked. */
  end(exit = KILLED): void {
    this.#end(exit);
  }

  async stop(): Promise<void> {
    this.events.push(`stop ${this.name}`);
    await new Promise((resolve) => setImmediate(resolve));
    this.events.push(`stopped ${this.name}`);
    this.#end(STOPPED);
  }
}

export class KeptHost implements Host {
  logLevel: LogLevel = 'info';
  isClosed = false;
  /** What was done to actors, in order. */
  readonly events: string[] = [];
  readonly started: KeptActor[] = [];
  /** What a start waits for, or fails with. */
  onStart: (spec: ActorSpec) => Promise<void> = async () => undefined;
  #onReport: ReportHandler = () => undefined;

  /** In place of `ActorHost.open`. */
  open(onReport: ReportHandler): Host {
    this.#onReport = onReport;
    return this;
  }

  async start(spec: ActorSpec): Promise<HostedActor> {
    this.events.push(`start ${spec.name}`);
    await this.onStart(spec);
    const actor = new KeptActor(spec, this.started.length + 1, this.events);
    this.started.push(actor);
    return actor;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  /** The newest actor of that name. */
  actor(name: string): KeptActor {
    const actor = this.started.findLast((each) => each.name === name);
    if (actor === undefined) throw new Error(`${name} was never started`);
    return actor;
  }

  report(name: string, report: ActorReport): void {
    this.#onReport(name, report);
  }
}
