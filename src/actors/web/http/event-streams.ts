/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html. Queries the daemon only while a client listens. */
import type { ServerResponse } from 'node:http';
import { Changes, type ChangeEvent } from '../view/changes';
import type { View } from '../view/daemon-view';
import { Problem } from './problem';

/** Milliseconds between two looks. */
const LOOK_MS = 1000;
/** Number of looks between two comments, which keep proxies and clients that watch for silence from closing the stream. */
const LOOKS_PER_BEAT = 15;
export const MAX_STREAMS = 64;
/** Bytes buffered for a client that does not read; then it is cut off, reconnects and gets what it missed. */
const MAX_WAITING_BYTES = 4_000_000;
/** Milliseconds a client waits before it comes back. */
const RETRY_MS = 2000;

export class EventStreams {
  readonly #changes = new Changes();
  readonly #streams = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;

  constructor(private readonly look: () => Promise<View>) {}

  /** Streams that are open. */
  get count(): number {
    return this.#streams.size;
  }

  /** @throws Problem when there are too many already; what `look` throws */
  async prepare(): Promise<void> {
    if (this.#streams.size >= MAX_STREAMS)
      throw new Problem(
        503,
        'too-many-streams',
        `${MAX_STREAMS} event streams are open already; close one, then try again`,
        {},
        { 'retry-after': '10' },
      );
    this.#send(this.#changes.take(await this.look()));
  }

  /** Begins a stream on a response of which nothing has been sent; call {@link prepare} first. */
  open(
    response: ServerResponse,
    headers: Readonly<Record<string, string | number | string[]>>,
    lastEventId?: string,
  ): void {
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(`retry: ${RETRY_MS}\n\n`);
    const missed = lastEventId === undefined ? undefined : this.#changes.since(lastEventId);
    for (const event of missed ?? [this.#changes.reset()]) response.write(text(event));
    this.#streams.add(response);
    response.once('close', () => this.#left(response));
    this.#timer ??= setInterval(() => void this.#lookAgain(), LOOK_MS);
  }

  close(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
    this.#rest();
  }

  #left(response: ServerResponse): void {
    this.#streams.delete(response);
    if (this.#streams.size === 0) this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #lookAgain(): Promise<void> {
    if (++this.#looks % LOOKS_PER_BEAT === 0) this.#write(':\n\n');
    // If the daemon does not answer now, there is nothing new to send.
    const view = await this.look().catch(() => undefined);
    if (view !== undefined) this.#send(this.#changes.take(view));
  }

  #send(events: readonly ChangeEvent[]): void {
    if (events.length > 0) this.#write(events.map(text).join(''));
  }

  #write(text: string): void {
    for (const stream of this.#streams) {
      if (stream.writableLength > MAX_WAITING_BYTES) stream.destroy();
      else stream.write(text);
    }
  }
}

/** JSON has no line breaks. */
function text({ id, event, data }: ChangeEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
