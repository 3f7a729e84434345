/**
 * Code compiled by V8, kept for later processes: from Node 22 on, which has its own cache and only needs a folder
 * (https://nodejs.org/api/module.html#module-compile-cache). Older versions ignore this.
 */
import Module from 'node:module';

/** Milliseconds after which a process has compiled the code that its kind runs, which is more than the code it loads. */
const KEEP_AFTER_MS = 10_000;

/** @param dir a folder of our own, of mode 0700: anyone who can write there can make us run their code */
export function shareCompiledCode(dir: string): void {
  process.env['NODE_COMPILE_CACHE'] ??= dir;
}

/** Writes the cache while the process runs: Node does so at the end, which for the relevant processes is a SIGKILL. */
export function keepCompiledCode(): void {
  const { flushCompileCache } = Module as { flushCompileCache?: () => void };
  if (flushCompileCache !== undefined) setTimeout(flushCompileCache, KEEP_AFTER_MS).unref();
}
