/**
 * Passes the log of the actor framework to Vigil's log. comedy constructs it by path, in the daemon and in every
 * actor's process. comedy's level info is logged as debug.
 */
import { openLog, type Log, type LogLevel } from '../log/log';

class ComedyLogger {
  readonly #log: Log;

  /** @param params comedy's `loggerParams` */
  constructor(params?: { readonly level: LogLevel }) {
    // comedy passes the actor's name as the first argument of the worker it forks.
    const worker = /forked-actor-worker/.test(process.argv[1] ?? '');
    this.#log = openLog(worker ? (process.argv[2] ?? 'actor') : 'supervisor', params?.level ?? 'info');
  }

  error(...parts: unknown[]): void {
    this.#log.error(sentence(parts));
  }

  warn(...parts: unknown[]): void {
    this.#log.warn(sentence(parts));
  }

  info(...parts: unknown[]): void {
    this.#log.debug(sentence(parts));
  }

  debug(...parts: unknown[]): void {
    this.#log.debug(sentence(parts));
  }
}

/** Only strings and error messages: a framework may print whole messages, which could contain a feed's credentials. */
function sentence(parts: readonly unknown[]): string {
  const text = parts.map((part) => {
    if (part instanceof Error) return part.message;
    return typeof part === 'object' && part !== null ? '{…}' : String(part);
  });
  return `comedy: ${text.join(' ')}`;
}

// comedy uses the module itself as the class, so a default export does not work.
export = ComedyLogger;
