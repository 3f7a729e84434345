/** A daemon as operators run it: `node dist/main.js`, its log, its process tree, its end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withDeadline } from '../src/clock/sleep';
import { askDaemon } from '../src/control/client';
import { readLines } from '../src/os/line-splitter';
import { dieWithParent } from '../src/os/orphans';
import type { DaemonStatus } from '../src/control/protocol';
import type { ChildStatus } from '../src/supervisor/status';
import { isAlive, waitUntil } from './process';

export const MAIN = path.resolve(__dirname, '../dist/main.js');

/** One line of the daemon's log. */
export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly message: string;
  readonly actor: string;
  readonly camera?: string;
  readonly pid: number;
  readonly code?: string;
  readonly child?: number;
  readonly server?: number;
  readonly file?: string;
}

export interface DaemonOptions {
  /** Content of actors.json. */
  readonly config: unknown;
  readonly env?: Readonly<Record<string, string>>;
  /** More options of the command line. */
  readonly args?: readonly string[];
  /** A folder that outlives the daemon, to start another one on it. */
  readonly dir?: string;
  /** Entry of the program; that of this checkout without. */
  readonly main?: string;
  /** Command that runs the daemon as its child, such as an init, or becomes it. */
  readonly under?: readonly string[];
}

export interface Daemon {
  readonly pid: number;
  readonly dir: string;
  readonly dataDir: string;
  readonly log: readonly LogLine[];
  /** All that was written, to look for what must not be there. */
  output(): string;
  /** Waits for a line that says `pattern`. */
  said(pattern: RegExp, deadlineMs?: number): Promise<LogLine>;
  /** Pid of the newest process of an actor. */
  actorPid(name: string): Promise<number>;
  /** What the daemon says of itself, over its socket. */
  status(): Promise<DaemonStatus>;
  /** Waits until what the daemon says of a child is so. */
  childIs(
    name: string,
    what: string,
    is: (child: ChildStatus) => boolean,
    deadlineMs?: number,
  ): Promise<ChildStatus>;
  /** Rewrites actors.json, as an editor does. */
  edit(config: unknown): void;
  signal(name: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
  /** SIGTERM, and the exit code. Fails when the daemon or anything below it is still there afterwards. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when its folder is removed, which its actors and servers may write to until they have ended, too. */
  kill(deadlineMs?: number): Promise<void>;
}

/** Starts a daemon on a fresh folder. */
export function startDaemon({
  config,
  env = {},
  args: more = [],
  dir = newDir(),
  main = MAIN,
  under = [],
}: DaemonOptions): Daemon {
  const file = path.join(dir, 'actors.json');
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  const dataDir = path.join(dir, 'data');
  const [wrapper, ...wrapped] = [...under, process.execPath];
  const { program, args } = dieWithParent('KILL', {
    program: wrapper,
    args: [...wrapped, main, '--config', file, '--data-dir', dataDir, ...more],
  });
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  return new RunningDaemon(child, dir, dataDir);
}

const made = new Set<string>();

/** A new temporary folder. It is removed when this process succeeds; when it fails, it may show why. */
export function newDir(): string {
  if (made.size === 0) process.once('exit', removeMade);
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-daemon-'));
  made.add(dir);
  return dir;
}

function removeMade(code: number): void {
  if (code !== 0) return;
  for (const dir of made) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

class RunningDaemon implements Daemon {
  readonly log: LogLine[] = [];
  readonly exited: Promise<number | null>;
  readonly pid: number;
  #output = '';
  /** Every process seen below the daemon when it was asked to stop. */
  readonly #seen = new Set<number>();

  constructor(
    private readonly child: ChildProcess,
    readonly dir: string,
    readonly dataDir: string,
  ) {
    this.pid = child.pid ?? 0;
    for (const stream of [child.stdout, child.stderr])
      readLines(stream, (line) => {
        this.#output += `${line}\n`;
        if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine);
      });
    this.exited = new Promise((resolve) => {
      child.once('close', (code) => resolve(code));
    });
  }

  output(): string {
    return this.#output;
  }

  async said(pattern: RegExp, deadlineMs = 60_000): Promise<LogLine> {
    const find = () => this.log.find(({ message }) => pattern.test(message));
    const over = () => find() !== undefined || this.child.exitCode !== null;
    try {
      await waitUntil(`the daemon says ${String(pattern)}`, over, deadlineMs);
      if (find() === undefined) throw new Error(`the daemon ended with ${String(this.child.exitCode)}`);
    } catch (error) {
      throw new Error(`${(error as Error).message}; it said:\n${this.#output}`, { cause: error });
    }
    return find() as LogLine;
  }

  async actorPid(name: string): Promise<number> {
    const newest = () => this.log.findLast(({ message }) => message === `${name} runs`)?.child;
    await waitUntil(`${name} runs`, () => newest() !== undefined, 60_000);
    return newest() ?? 0;
  }

  async status(): Promise<DaemonStatus> {
    return (await askDaemon(this.dataDir, '/status')) as DaemonStatus;
  }

  async childIs(
    name: string,
    what: string,
    is: (child: ChildStatus) => boolean,
    deadlineMs = 60_000,
  ): Promise<ChildStatus> {
    let child: ChildStatus | undefined;
    const look = async () => {
      child = (await this.status()).children.find((other) => other.name === name);
      return child !== undefined && is(child);
    };
    await waitUntil(`${name} ${what}`, look, deadlineMs).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; it is ${JSON.stringify(child)}`);
    });
    return child as unknown as ChildStatus;
  }

  edit(config: unknown): void {
    const file = path.join(this.dir, 'actors.json');
    writeFileSync(`${file}.new`, typeof config === 'string' ? config : JSON.stringify(config));
    renameSync(`${file}.new`, file);
  }

  signal(name: NodeJS.Signals): void {
    for (const pid of descendants(this.pid)) this.#seen.add(pid);
    this.child.kill(name);
  }

  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    const code = await withDeadline(this.exited, 20_000);
    if (code === undefined) {
      this.signal('SIGKILL');
      throw new Error(`the daemon did not stop within 20 s; it said:\n${this.#output}`);
    }
    await waitUntil('every process below the daemon has gone', () => ![...this.#seen].some(isAlive), 2000);
    rmSync(this.dir, { recursive: true, force: true });
    return code;
  }

  async kill(deadlineMs?: number): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
    await waitUntil('its folder is removed', () => isRemoved(this.dir), deadlineMs);
  }
}

function isRemoved(dir: string): boolean {
  try {
    rmSync(dir, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

/** Pids of all processes below `pid`, from /proc. */
export function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]));
    } catch {
      // It ended while we looked.
    }
  }
  const below = (parent: number): number[] =>
    [...parents].filter(([, of]) => of === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}
