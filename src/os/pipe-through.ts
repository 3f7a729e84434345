/** A program that turns one input into one output, with limits on its time and its output. */
import { startChild } from './child-process';
import { dieWithParent } from './orphans';

export interface PipeLimits {
  /** Milliseconds until it is killed. */
  readonly deadlineMs: number;
  /** It is killed when it has written more. */
  readonly maxOutputBytes: number;
  /** Number of last characters kept of its standard error. */
  readonly maxStderrChars: number;
}

export interface Piped {
  /** Standard output; empty if there was more than allowed. */
  readonly output: Buffer;
  readonly stderr: string;
  /** Null if a signal ended it, or it could not be started. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Which limit it was killed for. */
  readonly exceeded?: 'time' | 'output' | undefined;
  /** Why it could not be started. */
  readonly startError?: Error | undefined;
}

/** Never rejects. The program gets only PATH as its environment, and ends with this process. */
export async function pipeThrough(
  program: string,
  args: readonly string[],
  input: Buffer,
  limits: PipeLimits,
): Promise<Piped> {
  const bound = dieWithParent('KILL', { program, args: [...args] });
  const child = startChild(bound.program, bound.args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  const chunks: Buffer[] = [];
  let [size, stderr] = [0, ''];
  let exceeded: Piped['exceeded'];
  const end = (limit: Piped['exceeded']) => {
    exceeded ??= limit;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(end, limits.deadlineMs, 'time');
  // It may end before it has read everything.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  child.stdout?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limits.maxOutputBytes) end('output');
    else chunks.push(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-limits.maxStderrChars);
  });
  return new Promise<Piped>((resolve) => {
    const settle = (rest: Pick<Piped, 'code' | 'signal' | 'startError'>) => {
      clearTimeout(timer);
      resolve({
        output: exceeded === 'output' ? Buffer.alloc(0) : Buffer.concat(chunks),
        stderr,
        exceeded,
        ...rest,
      });
    };
    child.once('error', (startError) => settle({ code: null, signal: null, startError }));
    // All that it wrote has been read by then.
    child.once('close', (code, signal) => settle({ code, signal }));
  });
}
