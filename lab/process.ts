/** Child programs of the tests: spawned so that they die with the test process, ended and waited for, never left behind. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Readable, Writable } from 'node:stream';
import { withDeadline } from '../src/clock/sleep';

/** What is kept of a program's stderr: enough for a failure message, bounded for a program that chatters. */
const STDERR_TAIL_CHARS = 16_384;
const POLL_MS = 15;
/** SIGTERM is given this long: a healthy ffmpeg needs 50 ms, a stalled one ignores the first SIGTERM. */
const TERM_GRACE_MS = 2_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running program together with its end. */
export interface OwnedProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the program has been reaped and its pipes are drained; never rejects. */
  readonly exited: Promise<Exit>;
  /** The exit, as soon as there is one. */
  exit(): Exit | undefined;
  /** Last 16,384 characters of stderr. */
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, SIGKILL after two seconds, and waits for the exit. Does nothing to a program that has ended. */
  end(): Promise<Exit>;
}

/**
 * Starts a program that the kernel kills when the calling process dies by whatever cause (`setpriv --pdeathsig`, which
 * execs, so `pid` is the program's own). Stdin is a pipe, so the program also sees it close. The caller reads stdout.
 * Throws when the program cannot be started.
 */
export async function spawnOwned(command: string, args: readonly string[]): Promise<OwnedProcess> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  await spawned(child);
  return own(child);
}

/** Runs a program to its end. SIGKILL at the deadline, which then throws with what the program wrote to stderr. */
export async function run(
  command: string,
  args: readonly string[],
  deadlineMs = 60_000,
): Promise<Exit & { stdout: Buffer; stderr: string }> {
  const program = await spawnOwned(command, args);
  const chunks: Buffer[] = [];
  program.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  program.stdin.end();
  const exit = await withDeadline(program.exited, deadlineMs);
  if (exit === undefined) {
    program.signal('SIGKILL');
    await program.exited;
    throw new Error(`${command}: still running after ${deadlineMs} ms: ${program.stderr()}`);
  }
  return { ...exit, stdout: Buffer.concat(chunks), stderr: program.stderr() };
}

/** Polls until the condition holds. Throws at the deadline, naming what was waited for. */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 60_000,
): Promise<void> {
  const endMs = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await delay(POLL_MS);
  }
}

/** Whether a process with this pid exists (a zombie does). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Signals a process that must be there. Without a pid `process.kill` would end our own group. */
export function signalProcess(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined || pid <= 1) throw new Error(`no process to send ${name}: pid ${String(pid)}`);
  process.kill(pid, name);
}

/** Signals a process that may have ended meanwhile. */
export function signalIfThere(pid: number, name: NodeJS.Signals): void {
  try {
    signalProcess(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function spawned(child: Child): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

function own(child: Child): OwnedProcess {
  let tail = '';
  let exit: Exit | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-STDERR_TAIL_CHARS);
  });
  child.stdin.on('error', () => undefined); // EPIPE: the program ended first, `exited` says so
  child.on('error', () => undefined); // a signal that came too late
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      exit = { code, signal };
      resolve(exit);
    });
  });
  return {
    pid: child.pid ?? 0,
    stdin: child.stdin,
    stdout: child.stdout,
    exited,
    exit: () => exit,
    stderr: () => tail,
    signal: (name) => void child.kill(name),
    end: async () => {
      if (exit !== undefined) return exit;
      child.stdout.resume(); // `close` comes only after the pipes are read to their end
      child.kill('SIGTERM');
      if ((await withDeadline(exited, TERM_GRACE_MS)) === undefined) child.kill('SIGKILL');
      return exited;
    },
  };
}
