/**
 * The only place that starts programs, so that every signal to one passes through one guard: Node's `kill()` of a child that
 * was never spawned (out of descriptors, say) signals whatever pid is in memory, including 0 (our own process group).
 */
import childProcess, { ChildProcess, type ForkOptions, type SpawnOptions } from 'node:child_process';

// The originals, before the actor host replaces `fork`.
const { spawn, fork } = childProcess;

/** Milliseconds after the end of a child until its last output must have been read. */
const LAST_OUTPUT_MS = 200;

/** Causes that the machine's or the service's limits explain, by the error's code. */
const LIMITS: Readonly<Record<string, string>> = {
  EMFILE: 'too many open files in this process; raise its limit (ulimit -n, LimitNOFILE= in a systemd unit)',
  ENFILE: 'too many open files on this machine; raise fs.file-max (sysctl)',
  EAGAIN:
    'too many processes; raise the limit (ulimit -u, TasksMax= in a systemd unit, --pids-limit of a container)',
  ENOMEM: 'out of memory',
};

/**
 * Starts a program. Never throws: a child that cannot be started has no pid and no streams, and emits an
 * `error` event, also where Node would throw. {@link started} waits for it.
 */
export function startChild(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  return guarded(() => spawn(program, args, options));
}

/** The same for a Node module, with a channel to it. */
export function forkChild(module: string | URL, args: readonly string[], options: ForkOptions): ChildProcess {
  return guarded(() => fork(module, args, options));
}

/** Resolves with undefined when the child runs, or with the reason why it could not be started. */
export async function started(child: ChildProcess): Promise<Error | undefined> {
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', resolve);
  });
}

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Resolves with a child's end once its last output has been read; at once for one that could not be started. */
export async function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
    // Programs that it has started may hold its outputs open.
    child.once('exit', (code, signal) => {
      setTimeout(() => resolve({ code, signal }), LAST_OUTPUT_MS).unref();
    });
    child.once('error', () => resolve({ code: null, signal: null }));
  });
}

/** Why a program could not be started, as a part of a sentence. */
export function whyNotStarted(error: NodeJS.ErrnoException): string {
  const { code = '', message } = error;
  const limit = LIMITS[code];
  return limit === undefined ? message : `${limit} (${code})`;
}

/** Whether that error is temporary and unrelated to the program. */
export function isLimit({ code = '' }: NodeJS.ErrnoException): boolean {
  return code in LIMITS;
}

function guarded(start: () => ChildProcess): ChildProcess {
  const child = attempt(start);
  const kill = child.kill.bind(child);
  child.kill = (signal) => isThere(child) && kill(signal);
  if (child.pid !== undefined) return child;
  // Out of descriptors Node leaves these undefined, which its own types deny.
  Object.assign(child, {
    stdin: child.stdin ?? null,
    stdout: child.stdout ?? null,
    stderr: child.stderr ?? null,
    stdio: (child.stdio as unknown[] | undefined) ?? [null, null, null, null, null],
  });
  (child as { send?: unknown }).send ??= failToSend;
  return child;
}

/** For all but a handful of error codes, Node throws instead of emitting the error. */
function attempt(start: () => ChildProcess): ChildProcess {
  try {
    return start();
  } catch (error) {
    // It is constructible, which its types do not say.
    const child = new (ChildProcess as unknown as new () => ChildProcess)();
    process.nextTick(() => child.emit('error', error));
    return child;
  }
}

/** Whether it was spawned and is not reaped yet: its pid belongs to no other process. */
function isThere({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

function failToSend(...args: unknown[]): boolean {
  const done = args.at(-1);
  if (typeof done === 'function') process.nextTick(done, new Error('it was never started'));
  return false;
}
