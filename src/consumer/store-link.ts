/** Keeps a connection to Redis while a consumer runs: frames in progress outlast a lost connection. */
import { backOffMs, type BackOff } from '../clock/back-off';
import { aborted, sleep } from '../clock/sleep';
import { ConsumerError } from './fault';
import { openFrameStore, type FrameStore } from './frame-store';
import type { ServerUrl } from './server-url';

/** Short: a failover takes seconds, and a try costs little. */
export const RECONNECT: BackOff = { firstMs: 200, capMs: 2000 };

export interface StoreLinkOptions {
  /** Called before every connection; throws a {@link ConsumerError}. */
  readonly server: () => ServerUrl;
  /** Shown in Redis's list of clients. */
  readonly name: string;
  readonly onOpen: () => void;
  /** The connection could not be opened, or was lost. */
  readonly onAway: (fault: ConsumerError) => void;
}

export class StoreLink {
  #store: FrameStore | undefined;
  /** Connections since the last one that worked. */
  #attempt = 0;

  constructor(private readonly options: StoreLinkOptions) {}

  /** Undefined while Redis is away. */
  get store(): FrameStore | undefined {
    return this.#store;
  }

  /** The connection works: after it, the next one is tried at once. */
  healthy(): void {
    this.#attempt = 0;
  }

  /** Resolves when `signal` is aborted and the connection has gone; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#attempt += 1;
      await this.#connectOnce(signal);
      await sleep(backOffMs(RECONNECT, this.#attempt, Math.random()), signal);
    }
  }

  async #connectOnce(stop: AbortSignal): Promise<void> {
    const { server, name, onOpen, onAway } = this.options;
    const ending = new AbortController();
    const signal = AbortSignal.any([stop, ending.signal]);
    const lose = (fault: ConsumerError) => {
      this.#store = undefined;
      if (!signal.aborted) onAway(fault);
      ending.abort();
    };
    try {
      const store = await openFrameStore(server(), name, lose, signal);
      if (!signal.aborted) {
        this.#store = store;
        onOpen();
        await aborted(signal);
      }
      this.#store = undefined;
      await store.close();
    } catch (error) {
      if (!(error instanceof ConsumerError)) throw error;
      lose(error);
    }
  }
}
