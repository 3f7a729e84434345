/**
 * Code that V8 has compiled once, kept for the processes that come: from Node 22 on, which does so itself where it is asked
 * a folder (https://nodejs.org/api/module.html#module-compile-cache). Older ones take no notice.
 */
import Module from 'node:module';

/** After its start a process has compiled what its kind runs, which is more than what it loads. */
const KEEP_AFTER_MS = 10_000;

/** @param dir a folder of our own, of mode 0700: whoever can write there has his code run by us */
export function shareCompiledCode(dir: string): void {
  process.env['NODE_COMPILE_CACHE'] ??= dir;
}

/** Writes it while the process goes on: Node does at its end, which is a SIGKILL for those that matter. */
export function keepCompiledCode(): void {
  const { flushCompileCache } = Module as { flushCompileCache?: () => void };
  if (flushCompileCache !== undefined) setTimeout(flushCompileCache, KEEP_AFTER_MS).unref();
}
