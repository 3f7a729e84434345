/** Answers with lines of the log, each a line of JSON, and continues with new ones. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { withDeadline } from '../clock/sleep';
import type { KeptLines } from '../log/kept-lines';
import { BoundedLines } from '../log/lines';
import { lostLine } from '../log/log';
import type { LogRequest, NoSuchLog } from './protocol';

/** Each follower may leave some megabytes unread. */
const MAX_FOLLOWERS = 16;
/** Time for the last lines of a daemon that ends, milliseconds. */
const LAST_LINES_MS = 500;

export interface LogSource {
  readonly kept: KeptLines;
  /** Names of all actors that may write, whether they have or not. */
  names(): readonly string[];
}

export class LogStreams {
  readonly #following = new Set<ServerResponse>();

  constructor(private readonly source: LogSource) {}

  /** @throws Error if there are too many followers */
  answer(response: ServerResponse, { actor, lines, follow }: LogRequest): void {
    const { kept } = this.source;
    const names = [...new Set([...kept.actors, ...this.source.names()])];
    if (actor !== undefined && !names.includes(actor)) {
      const none: NoSuchLog = { names };
      response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify(none));
      return;
    }
    if (follow && this.#following.size >= MAX_FOLLOWERS)
      throw new Error(`${MAX_FOLLOWERS} others follow the log already; end one of them`);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders();
    const last = kept.last(lines, actor);
    if (last.length > 0) response.write(`${last.join('\n')}\n`);
    if (follow) this.#follow(response, actor);
    else response.end();
  }

  /** Ends all answers; waits briefly for their readers. */
  async close(): Promise<void> {
    const ended = [...this.#following].map(async (response) => {
      response.end();
      await once(response, 'close');
    });
    await withDeadline(Promise.all(ended), LAST_LINES_MS);
  }

  #follow(response: ServerResponse, actor: string | undefined): void {
    // Unread lines of a reader are bounded, and the lines it misses are counted.
    const bounded = new BoundedLines(response, lostLine);
    const end = this.source.kept.follow((line) => bounded.write(line), actor);
    this.#following.add(response);
    response.once('close', () => {
      end();
      this.#following.delete(response);
    });
  }
}
