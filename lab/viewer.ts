/** A viewer of the page without a browser: follows the events and loads the pictures that a window has room for. */
import { LineSplitter } from '../src/os/line-splitter';

/** Tiles in a window of 1440 by 900. */
const IN_VIEW = 15;

export class Viewer {
  readonly #closing = new AbortController();
  readonly #inView = new Set<string>();
  /** One picture of a camera at a time, as the page does. */
  readonly #loading = new Set<string>();
  /** Loaded so far. */
  pictures = 0;

  private constructor(private readonly url: string) {}

  static open(url: string): Viewer {
    const viewer = new Viewer(url);
    void viewer.#follow().catch(() => undefined);
    return viewer;
  }

  close(): void {
    this.#closing.abort();
  }

  async #follow(): Promise<void> {
    const { body } = await fetch(new URL('/api/events', this.url), { signal: this.#closing.signal });
    const lines = new LineSplitter(10_000_000);
    let event = '';
    for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? [])
      for (const line of lines.push(text)) {
        if (line.startsWith('event: ')) event = line.slice('event: '.length);
        else if (line.startsWith('data: ') && event === 'picture')
          void this.#load((JSON.parse(line.slice('data: '.length)) as { id: string }).id);
      }
  }

  async #load(id: string): Promise<void> {
    if (this.#inView.size < IN_VIEW) this.#inView.add(id);
    if (!this.#inView.has(id) || this.#loading.has(id)) return;
    this.#loading.add(id);
    try {
      const { signal } = this.#closing;
      const response = await fetch(new URL(`/api/cameras/${id}/latest.jpg?width=320`, this.url), { signal });
      await response.arrayBuffer();
      if (response.ok) this.pictures++;
    } catch {
      // It is over.
    } finally {
      this.#loading.delete(id);
    }
  }
}
