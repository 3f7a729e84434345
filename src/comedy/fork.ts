/**
 * The processes actors run in. comedy offers no way to say how a worker is forked, so its call of `fork` is
 * answered here: the worker ends with the daemon and gets little of its environment; its output is forwarded
 * and its last lines are kept.
 */
import childProcess, { type ChildProcess, type ForkOptions } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import type { FaultRecord } from '../fault/fault';
import { redactText } from '../url/redact';
import { passLine } from '../log/log';
import { exitOf, forkChild, started, whyNotStarted, type ProcessExit } from '../os/child-process';
import { driverVariables } from '../os/driver-variables';
import { inheritedVariables } from '../os/inherited-variables';
import { readLines } from '../os/line-splitter';
import { liveWithParent } from '../os/orphans';

/**
 * A camera's process hardly uses a processor: one background thread instead of four. With {@link
 * CAMERA_ENVIRONMENT}, each process takes 2.5 MB less. Only a flag that Node documents: Node does not start
 * with an unknown one. A small young generation would save another MB, but makes each start a tenth more
 * expensive: docs/capture/figures.md.
 */
const CAMERA_FLAGS = ['--v8-pool-size=1'];
/**
 * glibc gives each thread that allocates an arena of its own, which keeps freed memory, and also keeps freed
 * pictures unless pieces above this size are returned to the system (mallopt(3)): 19 MB instead of 30 after
 * three minutes of stills.
 */
const CAMERA_ENVIRONMENT = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '32768' };
/** comedy's worker, which loads less. */
const WORKER = path.resolve(__dirname, 'forked-actor-worker');
/** The same module, bundled with everything a camera loads: scripts/bundle.mjs. */
const BUNDLE = path.resolve(__dirname, '../bundle/forked-actor-worker.js');
/** Written by the compiler with each change: an older bundle is out of date. */
const COMPILED = path.resolve(__dirname, '../.tsbuildinfo');
/** Number of last lines kept of a process. */
const KEPT_LINES = 40;
/** Characters kept of one line. */
const KEPT_CHARS = 500;

export interface ActorProcess {
  /** 0 if it could not be started. */
  readonly pid: number;
  /** Settles with undefined when it runs, or with the reason why it could not be started. */
  readonly startError: Promise<string | undefined>;
  readonly exited: Promise<ProcessExit>;
  /** Its last lines of both outputs, oldest first. */
  readonly lastLines: readonly string[];
  /** The last error it wrote to standard error; undefined if none. */
  lastError(): string | undefined;
  kill(): void;
}

export class ForkedProcesses {
  readonly #fork = childProcess.fork;
  readonly #cameraWorker = isBundled() ? BUNDLE : WORKER;
  /** Called with the process forked for an actor, by actor name. */
  readonly #expected = new Map<string, (process: ActorProcess) => void>();

  constructor() {
    (childProcess as { fork: unknown }).fork = (...call: Parameters<typeof childProcess.fork>) =>
      this.#answer(...call);
  }

  /** The process that will be forked for the actor of that name: known before the actor is ready. */
  async expect(name: string): Promise<ActorProcess> {
    return new Promise((resolve) => this.#expected.set(name, resolve));
  }

  close(): void {
    (childProcess as { fork: typeof childProcess.fork }).fork = this.#fork;
  }

  #answer(
    modulePath: string | URL,
    args: readonly string[] | ForkOptions = [],
    options: ForkOptions = {},
  ): ChildProcess {
    const [name] = Array.isArray(args) ? (args as readonly string[]) : [];
    if (name === undefined || !/forked-actor-worker/.test(String(modulePath)))
      return this.#fork(modulePath, args as readonly string[], options);
    const isCamera = name.startsWith('camera:');
    const execArgv = [...(options.execArgv ?? process.execArgv), ...(isCamera ? CAMERA_FLAGS : [])];
    const wrapped = liveWithParent('KILL', { program: process.execPath, args: execArgv });
    const child = forkChild(isCamera ? this.#cameraWorker : WORKER, args as readonly string[], {
      ...options,
      execPath: wrapped.program,
      execArgv: [...wrapped.args],
      env: {
        ...(isCamera ? { ...CAMERA_ENVIRONMENT, ...driverVariables(process.env) } : {}),
        ...inheritedVariables(process.env),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#expected.get(name)?.(actorProcess(name, child));
    this.#expected.delete(name);
    return child;
  }
}

/** How a process ended, with its last error: a sentence without its subject. */
export function exitFault({ code, signal }: ProcessExit, child: ActorProcess): FaultRecord {
  const error = child.lastError();
  const how = signal === null ? `ended with code ${String(code)}` : `ended by ${signal}`;
  return { code: 'crashed', message: error === undefined ? how : `${how}: ${error.trim()}` };
}

function isBundled(): boolean {
  const [bundle, compiled] = [BUNDLE, COMPILED].map((file) => statSync(file, { throwIfNoEntry: false }));
  return bundle !== undefined && bundle.mtimeMs >= (compiled?.mtimeMs ?? 0);
}

function actorProcess(name: string, child: ChildProcess): ActorProcess {
  const lastLines: string[] = [];
  const errors: string[] = [];
  const keep = (lines: string[]) => (line: string) => {
    lines.push(redactText(line).slice(0, KEPT_CHARS));
    lines.splice(0, lines.length - KEPT_LINES);
  };
  readLines(child.stdout, (line) => {
    keep(lastLines)(line);
    passLine(line, name, child.pid ?? 0);
  });
  // Only crashes write there, stack traces mostly: the fault names the error, the black box keeps the rest.
  readLines(child.stderr, (line) => {
    keep(lastLines)(line);
    keep(errors)(line);
  });
  return {
    pid: child.pid ?? 0,
    startError: started(child).then((error) => error && whyNotStarted(error)),
    exited: exitOf(child),
    lastLines,
    lastError: () => errors.findLast((line) => /^(\w*Error|FATAL ERROR|Cannot find)\b/.test(line.trim())),
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}
