/** One run of ffmpeg: opens the feed, hands on its pictures, ends it when it stalls or is no longer wanted. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { sleep, withDeadline } from '../../clock/sleep';
import type { CameraSpec } from '../../config/topology';
import { dieWithParent } from '../../process/orphans';
import { Fault } from '../../protocol/fault';
import { feedName, openFault } from './feed-fault';
import { ffmpegInvocation } from './ffmpeg-arguments';
import { FrameSplitter, type Picture } from './frame-splitter';

/** Milliseconds between SIGTERM, on which ffmpeg leaves the camera politely, and SIGKILL. */
const POLITE_STOP_MS = 700;
/** What is kept of standard error; the cause is in its last lines. */
const MAX_STDERR_CHARS = 8000;
/** Sampling periods without a picture that are no stall whatever `stallMs` says. */
const MIN_STALL_PERIODS = 3;

/**
 * Reads the feed until it ends, fails, stalls or `signal` is aborted. ffmpeg has gone when this settles.
 * @throws Fault that says why the feed ended; nothing is thrown when `signal` was aborted.
 */
export async function captureFeed(
  camera: CameraSpec,
  ffmpeg: string,
  onPicture: (picture: Picture) => void,
  signal: AbortSignal,
): Promise<void> {
  const run = new FfmpegRun(camera, ffmpeg, onPicture);
  await run.finish(signal);
}

class FfmpegRun {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #splitter = new FrameSplitter();
  readonly #startedAt = Date.now();
  #stderr = '';
  #spawnError: Error | undefined;
  #outputFault: Fault | undefined;
  #lastPictureAt: number | undefined;

  constructor(
    private readonly camera: CameraSpec,
    ffmpeg: string,
    private readonly onPicture: (picture: Picture) => void,
  ) {
    const invocation = ffmpegInvocation(camera);
    const { program, args } = dieWithParent('KILL', { program: ffmpeg, args: invocation.args });
    this.#child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], MALLOC_ARENA_MAX: '2' },
      // A session of its own: Ctrl-C at the terminal must not look like a feed that ended.
      detached: true,
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#spawnError = error;
        resolve();
      });
      this.#child.once('close', () => {
        resolve();
      });
    });
    this.#connectPipes(invocation.stdin);
  }

  async finish(signal: AbortSignal): Promise<void> {
    const watch = new AbortController();
    const stalled = this.#watchForStall(AbortSignal.any([signal, watch.signal]));
    const fault = await Promise.race([this.#exited.then(() => undefined), stalled]);
    watch.abort();
    await this.#end();
    if (signal.aborted) return;
    throw fault ?? this.#outputFault ?? this.#endFault();
  }

  #connectPipes(stdin: string): void {
    const [input, pictures, errors, times] = this.#child.stdio;
    input?.on('error', () => undefined);
    input?.end(stdin);
    pictures?.on('data', (chunk: Buffer) => {
      this.#deliver(() => this.#splitter.pushBytes(chunk));
    });
    (times as Readable | null)?.on('data', (chunk: Buffer) => {
      this.#deliver(() => this.#splitter.pushText(chunk.toString('latin1')));
    });
    errors?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-MAX_STDERR_CHARS);
    });
  }

  #deliver(split: () => Picture[]): void {
    if (this.#outputFault !== undefined) return;
    try {
      for (const picture of split()) {
        this.#lastPictureAt = Date.now();
        this.onPicture(picture);
      }
    } catch (error) {
      this.#outputFault =
        error instanceof Fault ? error : new Fault('bad-capture-output', (error as Error).message);
      this.#child.kill('SIGKILL');
    }
  }

  /** Resolves with a fault when pictures stay away; with undefined when `signal` is aborted. */
  async #watchForStall(signal: AbortSignal): Promise<Fault | undefined> {
    const { connectMs, stallMs, periodMs, source } = this.camera;
    const limitMs = Math.max(stallMs, MIN_STALL_PERIODS * periodMs);
    while (!signal.aborted) {
      const last = this.#lastPictureAt;
      const deadline = last === undefined ? this.#startedAt + connectMs : last + limitMs;
      const leftMs = deadline - Date.now();
      // Looked at again before the first deadline: a picture moves it.
      if (leftMs > 0) await sleep(Math.min(leftMs, limitMs), signal);
      else if (last === undefined)
        return new Fault(
          'no-picture',
          `${feedName(source)} gave no picture within ${String(connectMs)} ms of being opened`,
        );
      else return new Fault('stalled', `${feedName(source)} gave no picture for ${String(limitMs)} ms`);
    }
    return undefined;
  }

  #endFault(): Fault {
    const { source } = this.camera;
    if (this.#spawnError !== undefined)
      return new Fault('ffmpeg', `ffmpeg could not be started: ${this.#spawnError.message}`);
    if (this.#lastPictureAt !== undefined) return new Fault('ended', `${feedName(source)} ended`);
    const { code, message } = openFault(source, this.#stderr, Date.now() - this.#startedAt);
    return new Fault(code, message);
  }

  async #end(): Promise<void> {
    this.#child.kill('SIGTERM');
    this.#child.kill('SIGCONT');
    if (
      (await withDeadline(
        this.#exited.then(() => true),
        POLITE_STOP_MS,
      )) === true
    )
      return;
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
