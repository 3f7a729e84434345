/** Why the daemon ends: a signal, an escalation, or a service manager that has gone. */
import { NAMESPACE_IN_USE } from '../connections/namespace-fault';
import type { FaultRecord } from '../fault/fault';
import { NODE_IN_USE } from '../fleet/sentences';
import type { Log } from '../log/log';
import { endProcess } from '../os/output';
import { EXIT } from './exit-codes';

/**
 * npm forwards Ctrl-C to a daemon that has already received it from the terminal: a signal this soon after
 * the first counts as the same one (1 ms was measured).
 */
const SAME_WISH_MS = 500;
/** Time for the last log lines of a daemon that must end at once, milliseconds. */
const AT_ONCE_MS = 200;

/** Why the daemon ends: the first signal or escalation. A second signal ends the process at once. */
export class Ending {
  #askedAt: number | undefined;
  #end: (code: number) => void = () => undefined;
  /** Settles with the exit code once there is a reason to end. */
  readonly wish: Promise<number>;

  constructor(private readonly log: Log) {
    this.wish = new Promise((resolve) => {
      this.#end = resolve;
    });
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => this.#onSignal(name));
  }

  escalate({ code, message }: FaultRecord): void {
    const refused = code === NAMESPACE_IN_USE || code === NODE_IN_USE;
    this.log.error(
      `${message}; ${refused ? 'this daemon stops' : 'stopping so that the service manager can restart the daemon'}`,
      {
        code,
      },
    );
    this.#end(refused ? EXIT.unavailable : EXIT.failed);
  }

  /** The service manager has exited: its successor would start a second daemon. */
  abandoned(): void {
    this.log.warn(
      'the service manager that started this daemon has exited; stopping so that its successor can start the daemon',
    );
    this.#end(EXIT.clean);
  }

  /** The cameras have been given to other nodes, except `camerasLeft`. */
  drained(camerasLeft: number): void {
    if (camerasLeft === 0) this.log.info('drained: other nodes have all cameras; stopping');
    else
      this.log.warn(`no other node takes the ${camerasLeft} cameras that are left; stopping`, {
        code: 'drain',
      });
    this.#end(EXIT.clean);
  }

  #onSignal(name: NodeJS.Signals): void {
    const before = this.#askedAt;
    // The kernel ends actors and servers with this process.
    if (before !== undefined && performance.now() - before > SAME_WISH_MS)
      void endProcess(EXIT.failed, AT_ONCE_MS);
    if (before !== undefined) return;
    this.#askedAt = performance.now();
    this.log.info(`${name}: stopping; a second signal ends the daemon at once`);
    this.#end(EXIT.clean);
  }
}
