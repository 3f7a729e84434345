/** A private server program: started under a lock of its data, watched, stopped, never left behind. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { withDeadline } from '../clock/sleep';
import { redactText } from '../url/redact';
import type { Log } from '../log/log';
import { ExitFault } from '../fault/fault';
import { exitOf, startChild, started, whyNotStarted } from '../os/child-process';
import { readLines } from '../os/line-splitter';
import { dieWithParent, findProgram, liveWithParent, type CommandLine } from '../os/orphans';

/** Seconds a server waits for its predecessor, which may still be saving, to leave the data. */
const LOCK_WAIT_S = 30;
/** Seconds given to the server of a daemon that was killed, until its ports are assumed to belong to another program. */
const PREDECESSOR_WAIT_S = 5;
/** Exit code of `flock` if the data stay locked. */
const LOCKED = 75;
/** Lines of output kept to explain a failed start. */
const KEPT_LINES = 12;

export interface ServerCommand extends CommandLine {
  /** Name of the server in faults and logs. */
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Locked for as long as the server runs; absent for programs without data. */
  readonly lockFile?: string;
  /** Extracts the message from a line of its output; the whole line if absent. */
  readonly messageOf?: (line: string) => string;
  /** Matches the last line of its output if a program that it needs was killed. */
  readonly helperKilled?: RegExp;
  /** The signal the kernel sends it when the daemon dies. */
  readonly onParentDeath: 'TERM' | 'KILL';
}

/** A server ended before it answered: by itself, or because it or a program it started was killed. */
export class EndedEarly extends ExitFault {
  constructor(
    message: string,
    /** Whether it, or a program that it needs, was killed: it may then be able to run. */
    readonly wasKilled: boolean,
  ) {
    super('service-start', message);
  }
}

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #lastLines: string[] = [];
  readonly #started: Promise<void>;
  #startError: Error | undefined;
  /** Settles when the program has ended; never rejects. */
  readonly exited: Promise<void>;

  constructor(
    private readonly command: ServerCommand,
    private readonly log: Log,
  ) {
    const { program, args } = liveWithParent(command.onParentDeath, locked(command));
    this.#child = startChild(program, args, {
      cwd: command.cwd,
      env: command.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // In its own session: Ctrl-C at the terminal reaches only the daemon, which stops the server in order.
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      readLines(stream, (line) => this.#keep(line.trim()));
    this.#started = started(this.#child).then((error) => {
      this.#startError = error;
    });
    this.exited = exitOf(this.#child).then(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  isRunning(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Waits until `answers` resolves without throwing.
   * @throws Fault `service-start` with the server's last output after `deadlineMs`, and {@link EndedEarly} when it ends before
   */
  async ready(answers: () => Promise<void>, deadlineMs: number): Promise<void> {
    await this.#started;
    const startedAt = Date.now();
    while (this.isRunning() && Date.now() - startedAt < deadlineMs) {
      try {
        await answers();
        return;
      } catch {
        await withDeadline(this.exited, 100);
      }
    }
    const hasEnded = !this.isRunning();
    const why = hasEnded ? `it ended ${this.ending()}` : `no answer within ${deadlineMs} ms`;
    const message = `${this.command.name} did not start: ${why}; its last output: ${this.lastOutput()}`;
    const hasNotRun = this.#startError !== undefined || this.#child.exitCode === LOCKED;
    if (!hasEnded || hasNotRun) throw new ExitFault('service-start', message);
    const { helperKilled } = this.command;
    const wasHelper = this.#lastLines.some((line) => helperKilled?.test(line));
    throw new EndedEarly(message, this.#child.signalCode !== null || wasHelper);
  }

  /** SIGTERM, wait, SIGKILL, wait. */
  async stop(deadlineMs: number): Promise<void> {
    if (!this.isRunning()) return;
    this.#child.kill('SIGTERM');
    // A stopped (SIGSTOP) program would not see the SIGTERM.
    this.#child.kill('SIGCONT');
    await withDeadline(this.exited, deadlineMs);
    if (!this.isRunning()) return;
    this.log.warn(`${this.command.name} did not stop within ${deadlineMs} ms and is killed`);
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  lastOutput(): string {
    return this.#lastLines.join(' | ') || '(none)';
  }

  /** How it ended, as text; only valid after its end. */
  ending(): string {
    if (this.#startError !== undefined) return `before it began: ${whyNotStarted(this.#startError)}`;
    const { exitCode, signalCode } = this.#child;
    return signalCode === null ? `with code ${String(exitCode)}` : `by ${signalCode}`;
  }

  #keep(output: string): void {
    const line = this.command.messageOf?.(output) ?? output;
    this.log.debug(`${this.command.name}: ${line}`);
    this.#lastLines.push(redactText(line).slice(0, 300));
    this.#lastLines.splice(0, this.#lastLines.length - KEPT_LINES);
  }
}

/** `flock -F` keeps the pid: it becomes the server, which then holds the lock. */
function locked({ program, args, lockFile }: ServerCommand): CommandLine {
  const flock = findProgram('flock');
  if (lockFile === undefined || flock === undefined) return { program, args };
  return {
    program: flock,
    args: ['-w', String(LOCK_WAIT_S), '-E', String(LOCKED), '-F', lockFile, program, ...args],
  };
}

/**
 * Waits until the server of a killed daemon has released the data: it may still be saving, and listening, and its
 * successor needs the same ports.
 */
export async function predecessorLeft(lockFile: string): Promise<void> {
  const flock = findProgram('flock');
  if (flock === undefined) return;
  const { program, args } = dieWithParent('KILL', {
    program: flock,
    args: ['-w', String(PREDECESSOR_WAIT_S), lockFile, '/bin/true'],
  });
  // The daemon's environment may contain passwords.
  await exitOf(startChild(program, args, { env: {}, stdio: 'ignore' }));
}

/**
 * A port for a server on loopback.
 * @param wanted the operator's; must be free
 * @param remembered the one used last time; taken when it is free
 * @throws Fault `port-in-use`
 */
export async function choosePort(
  name: string,
  wanted: number | undefined,
  remembered: number | undefined,
): Promise<number> {
  if (wanted !== undefined) {
    if (await isFree(wanted)) return wanted;
    throw new ExitFault(
      'port-in-use',
      `${name}: port ${wanted} of 127.0.0.1 is in use; stop what listens there, or remove "port" to have a free one chosen`,
    );
  }
  if (remembered !== undefined && (await isFree(remembered))) return remembered;
  return freePort();
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
