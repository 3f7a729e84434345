/**
 * Notifications for a service manager: systemd over its notification socket (sd_notify(3)), PM2 over its channel. Without
 * one nothing is sent. Node has no Unix datagram sockets, so systemd's own systemd-notify(1) sends for us.
 */
import { exitOf, startChild } from './child-process';
import { findProgram } from './orphans';

/** A sign of life twice in the interval after which systemd considers the daemon hung (sd_watchdog_enabled(3)). */
const WATCHDOG_SHARE = 0.5;

export class ServiceManager {
  /** Settles when PM2 has gone without stopping the daemon: its successor would start a second one. */
  readonly lost: Promise<void>;
  readonly #watchdog: NodeJS.Timeout | undefined;
  #isReady = false;

  private constructor(
    private readonly notify: Notify,
    watchdogMs: number | undefined,
  ) {
    this.lost = new Promise((resolve) => process.once('disconnect', resolve));
    if (watchdogMs === undefined) return;
    notify(['WATCHDOG=1']);
    this.#watchdog = setInterval(() => notify(['WATCHDOG=1']), watchdogMs * WATCHDOG_SHARE).unref();
  }

  /**
   * The service manager that started this process, detected from the environment.
   * @param warn called when systemd waits for a notification that cannot be sent
   */
  static of(environment: NodeJS.ProcessEnv, warn: (message: string) => void): ServiceManager {
    return new ServiceManager(systemd(environment, warn), watchdogMs(environment));
  }

  /** The daemon does its work. */
  ready(): void {
    this.#isReady = true;
    this.notify(['READY=1', 'STATUS=frames are stored and announced']);
    // PM2 may be exiting at this moment.
    process.send?.('ready', undefined, undefined, () => undefined);
  }

  /** The daemon has begun to stop. */
  stopping(): void {
    this.notify(['STOPPING=1', 'STATUS=stopping in order']);
  }

  /** The daemon applies an edit of its configuration while `work` lasts. */
  async reload(work: () => Promise<unknown>): Promise<void> {
    // sd_notify(3) requires the time as well, in microseconds of CLOCK_MONOTONIC, which is what hrtime reads.
    const now = process.hrtime.bigint() / 1000n;
    if (this.#isReady) this.notify(['RELOADING=1', `MONOTONIC_USEC=${String(now)}`]);
    await work();
    if (this.#isReady) this.notify(['READY=1']);
  }

  close(): void {
    clearInterval(this.#watchdog);
  }
}

type Notify = (assignments: readonly string[]) => void;

function systemd({ NOTIFY_SOCKET }: NodeJS.ProcessEnv, warn: (message: string) => void): Notify {
  if (NOTIFY_SOCKET === undefined) return () => undefined;
  const program = findProgram('systemd-notify');
  if (program === undefined) {
    warn('systemd waits for a readiness notification, but systemd-notify is not on PATH: use Type=exec');
    return () => undefined;
  }
  const env = { NOTIFY_SOCKET, PATH: process.env['PATH'] };
  let last = Promise.resolve();
  // One after another: the last notification must arrive last.
  return (assignments) => {
    last = last.then(() => say(program, assignments, env));
  };
}

/** Never rejects: work continues even if the service manager cannot be notified. */
async function say(program: string, assignments: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  await exitOf(startChild(program, assignments, { env, stdio: 'ignore' }));
}

/** WATCHDOG_USEC: microseconds of silence after which systemd considers the process named in WATCHDOG_PID hung. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | undefined {
  const ms = Number(WATCHDOG_USEC) / 1000;
  const meant = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  return meant && ms > 0 ? ms : undefined;
}
