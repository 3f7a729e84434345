/** Starts the daemon again whenever it ends other than by our stop, as PM2 or systemd would. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { withDeadline } from '../../src/clock/sleep';
import { dieWithParent } from '../../src/os/orphans';
import { MAIN } from '../daemon';

const RESTART_MS = 100;
const TERMINAL = path.resolve(__dirname, '../terminal.py');

interface Place {
  readonly dataDir: string;
  /** Its output is sent to a terminal instead of daemon.log. */
  readonly onTerminal: boolean;
}

export interface DaemonEnd {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ServiceManager {
  readonly ends: DaemonEnd[] = [];
  #child: ChildProcess | undefined;
  #pid: number | undefined;
  #place: Place;
  #ended: Promise<void> = Promise.resolve();
  #stopping = false;

  /**
   * @param dir holds actors.json and gets data/ and daemon.log; it is on the daemon's PATH, and so in the environment of all its processes
   * @param through a command line that the daemon's is appended to
   */
  constructor(
    private readonly dir: string,
    private readonly env: Readonly<Record<string, string>> = {},
    private readonly through: readonly string[] = [],
  ) {
    this.#place = { dataDir: path.join(dir, 'data'), onTerminal: false };
  }

  /** Undefined between two daemons. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** @param changes of where it runs, from now on */
  start(changes: Partial<Place> = {}): void {
    this.#stopping = false;
    this.#place = { ...this.#place, ...changes };
    const { dataDir, onTerminal } = this.#place;
    const log = openSync(path.join(this.dir, 'daemon.log'), 'a');
    const [first, ...rest] = [...this.through, process.execPath, MAIN];
    const daemon = dieWithParent('KILL', {
      program: first,
      args: [...rest, '--config', path.join(this.dir, 'actors.json'), '--data-dir', dataDir],
    });
    const { program, args } = onTerminal
      ? dieWithParent('KILL', { program: 'python3', args: [TERMINAL, daemon.program, ...daemon.args] })
      : daemon;
    const child = spawn(program, args, {
      stdio: ['ignore', onTerminal ? 'pipe' : log, log],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        PATH: `${process.env['PATH'] ?? ''}:${this.dir}/on-path`,
        ...this.env,
      },
    });
    closeSync(log);
    this.#child = child;
    this.#pid = onTerminal ? undefined : child.pid;
    child.stdout?.once('data', (line: Buffer) => (this.#pid = Number.parseInt(line.toString(), 10))).resume();
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.ends.push({ pid: this.#pid ?? 0, code, signal });
        this.#child = undefined;
        this.#pid = undefined;
        resolve();
        if (!this.#stopping)
          setTimeout(() => {
            if (!this.#stopping) this.start();
          }, RESTART_MS);
      });
    });
  }

  /** Ctrl-S on its terminal. */
  stopOutput(): void {
    this.#child?.kill('SIGUSR1');
  }

  /** Ctrl-Q. */
  resumeOutput(): void {
    this.#child?.kill('SIGHUP');
  }

  /** SIGTERM. @throws when it takes longer than `deadlineMs`, after SIGKILL */
  async stop(deadlineMs: number): Promise<DaemonEnd | undefined> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined) return undefined;
    child.kill('SIGTERM');
    if (
      (await withDeadline(
        this.#ended.then(() => true),
        deadlineMs,
      )) === undefined
    ) {
      child.kill('SIGKILL');
      await this.#ended;
      throw new Error(`the daemon did not stop within ${deadlineMs} ms`);
    }
    return this.ends.at(-1);
  }
}
