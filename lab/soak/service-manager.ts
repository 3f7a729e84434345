/** Starts the daemon again whenever it ends other than by our stop, as PM2 or systemd would. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { withDeadline } from '../../src/clock/sleep';
import { dieWithParent } from '../../src/os/orphans';
import { MAIN } from '../daemon';

const RESTART_MS = 100;

export interface DaemonEnd {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ServiceManager {
  readonly ends: DaemonEnd[] = [];
  #child: ChildProcess | undefined;
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
  ) {}

  /** Undefined between two daemons. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    this.#stopping = false;
    const log = openSync(path.join(this.dir, 'daemon.log'), 'a');
    const [first, ...rest] = [...this.through, process.execPath, MAIN];
    const { program, args } = dieWithParent('KILL', {
      program: first,
      args: [
        ...rest,
        ...['--config', path.join(this.dir, 'actors.json'), '--data-dir', path.join(this.dir, 'data')],
      ],
    });
    const child = spawn(program, args, {
      stdio: ['ignore', log, log],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        PATH: `${process.env['PATH'] ?? ''}:${this.dir}/on-path`,
        ...this.env,
      },
    });
    closeSync(log);
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.ends.push({ pid: child.pid ?? 0, code, signal });
        this.#child = undefined;
        resolve();
        if (!this.#stopping)
          setTimeout(() => {
            if (!this.#stopping) this.start();
          }, RESTART_MS);
      });
    });
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
