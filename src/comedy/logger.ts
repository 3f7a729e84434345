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

  error(...words: unknown[]): void {
    this.#log.error(sentence(words));
  }

  warn(...words: unknown[]): void {
    this.#log.warn(sentence(words));
  }

  info(...words: unknown[]): void {
    this.#log.debug(sentence(words));
  }

  debug(...words: unknown[]): void {
    this.#log.debug(sentence(words));
  }
}

/** Only strings and error messages: a framework may print whole messages, which could contain a feed's credentials. */
function sentence(words: readonly unknown[]): string {
  const text = words.map((word) => {
    if (word instanceof Error) return word.message;
    return typeof word === 'object' && word !== null ? '{…}' : String(word);
  });
  return `comedy: ${text.join(' ')}`;
}

// comedy takes the module itself for the class: a default export would not do.
export = ComedyLogger;
