/** One ffmpeg process, started without a shell. It never outlives its camera. */
import type { ChildProcess } from 'node:child_process';
import { pipeline, type Duplex, type Readable } from 'node:stream';
import { withDeadline } from '../../../clock/sleep';
import { lastOf } from '../../../url/redact';
import { startChild, whyNotStarted } from '../../../os/child-process';
import { driverVariables } from '../../../os/driver-variables';
import { dieWithParent } from '../../../os/orphans';
import type { FfmpegInvocation } from './invocation';

/** Milliseconds between SIGTERM, on which ffmpeg closes the camera's session, and SIGKILL. */
const POLITE_STOP_MS = 700;
/** Characters kept of standard error; the cause is in its last lines. */
const MAX_STDERR_CHARS = 8000;
/**
 * An ffmpeg linked statically with glibc crashes on MPEG-TS, which HLS uses: to convert program names, which
 * are not needed, it loads the system's own libraries. With this setting it finds none.
 */
const NO_CONVERSIONS = { GCONV_PATH: '/dev/null' } as const;
/** Signals that a program causes by crashing. */
const CRASHES: ReadonlySet<NodeJS.Signals> = new Set(['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT']);

export class FfmpegProcess {
  /** Settles when the process has exited and its output was read. */
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  #stderr = '';
  #spawnError: Error | undefined;

  /**
   * @param onStderr called with its standard error, which may contain the feed's URL with its password
   * @param side the other end of fd 3: receives ffmpeg's output there, or provides its input
   */
  constructor(
    ffmpeg: string,
    invocation: FfmpegInvocation,
    onOutput: (chunk: Buffer) => void,
    onStderr: (text: string) => void,
    side?: { readonly onBytes: (chunk: Buffer) => void } | { readonly input: Readable },
  ) {
    const { program, args } = dieWithParent('KILL', { program: ffmpeg, args: invocation.args });
    this.#child = startChild(program, args, {
      stdio: ['pipe', 'pipe', 'pipe', ...(side === undefined ? [] : ['pipe' as const])],
      env: {
        ...{ PATH: process.env['PATH'], MALLOC_ARENA_MAX: '2', ...NO_CONVERSIONS },
        ...(invocation.usesHardware === true ? driverVariables(process.env) : {}),
      },
      // A separate session, so that Ctrl-C at the terminal does not look like the end of a feed.
      detached: true,
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#spawnError = new Error(whyNotStarted(error), { cause: error });
        resolve();
      });
      this.#child.once('close', () => {
        // After the callbacks that were deferred until this turn's output had been read.
        setImmediate(resolve);
      });
    });
    this.#child.stdin?.on('error', () => undefined);
    if (invocation.stdin !== '') this.#child.stdin?.end(invocation.stdin);
    this.#child.stdout?.on('data', onOutput);
    const third = this.#child.stdio[3] as Duplex | null | undefined;
    if (side !== undefined && third !== undefined && third !== null)
      if ('input' in side)
        // Either end closes the other; ffmpeg's exit and the reader of the input tell the reason.
        pipeline(side.input, third, () => undefined);
      else third.on('data', side.onBytes);
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      const text = chunk.toString();
      this.#stderr = lastOf(this.#stderr + text, MAX_STDERR_CHARS);
      onStderr(text);
    });
  }

  /** Undefined if ffmpeg could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Why ffmpeg could not be started; undefined if it was. */
  get spawnError(): Error | undefined {
    return this.#spawnError;
  }

  /** The signal by which ffmpeg crashed, if it did. */
  get crash(): NodeJS.Signals | undefined {
    const { signalCode } = this.#child;
    return signalCode !== null && CRASHES.has(signalCode) ? signalCode : undefined;
  }

  /** The end of ffmpeg's standard error. It may contain the feed's URL with its password. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The standard error since the last call. */
  takeStderr(): string {
    const taken = this.#stderr;
    this.#stderr = '';
    return taken;
  }

  /** Bytes written to ffmpeg that it has not read yet. */
  get backlogBytes(): number {
    return this.#child.stdin?.writableLength ?? 0;
  }

  write(bytes: Buffer): void {
    this.#child.stdin?.write(bytes);
  }

  /** Writes to ffmpeg; settles when it has read the bytes, or has exited. */
  async writeWhole(bytes: Buffer): Promise<void> {
    const { stdin } = this.#child;
    if (stdin === null) return;
    await new Promise<void>((resolve) => {
      stdin.write(bytes, () => resolve());
    });
  }

  /** Ends the input: ffmpeg finishes what it has and exits. */
  endInput(): void {
    this.#child.stdin?.end();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Asks ffmpeg to end, and kills it if it does not; settles when it has exited. */
  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    this.#child.kill('SIGCONT');
    const gone = this.exited.then(() => true);
    if ((await withDeadline(gone, POLITE_STOP_MS)) === true) return;
    this.kill();
    await this.exited;
  }
}
