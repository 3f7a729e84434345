/** The host's restart budget: limits the number of starts per minute, however many children flap. */
import { sleep, unlessAborted } from '../clock/sleep';

const MINUTE_MS = 60_000;
/** Share of the tokens reserved for first crashes: a flapping half must not delay the return of a healthy child. */
const RESERVED_SHARE = 0.25;

/** A restart waiting for a token. Fewer crashes are served first. */
interface Request {
  readonly crashes: number;
  readonly grant: () => void;
}

/**
 * A token bucket. Each token returns a minute after it was taken, so there are never more starts within any
 * minute than tokens.
 */
export class RestartBudget {
  /** When the tokens in use were taken, oldest first. */
  #taken: number[] = [];
  #requests: Request[] = [];
  #wakeUp: AbortController | undefined;

  constructor(
    private perMinute: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  resize(perMinute: number): void {
    this.perMinute = perMinute;
    this.#grantAll();
  }

  /** Number of restarts waiting for a token. */
  get waiting(): number {
    return this.#requests.length;
  }

  /** Resolves with a token, or without one when `signal` is aborted. */
  async take(crashes: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    let request: Request | undefined;
    const granted = new Promise<void>((grant) => {
      request = { crashes, grant };
      const after = this.#requests.findIndex((other) => other.crashes > crashes);
      this.#requests.splice(after === -1 ? this.#requests.length : after, 0, request);
    });
    this.#grantAll();
    await unlessAborted(granted, signal);
    this.#requests = this.#requests.filter((other) => other !== request);
    void this.#lookAgain();
  }

  #grantAll(): void {
    this.#taken = this.#taken.filter((at) => at > this.now() - MINUTE_MS);
    for (let next = this.#requests[0]; next !== undefined; next = this.#requests[0]) {
      if (this.#taken.length >= this.#limitFor(next)) break;
      this.#requests.shift();
      this.#taken.push(this.now());
      next.grant();
    }
    void this.#lookAgain();
  }

  #limitFor({ crashes }: Request): number {
    return crashes <= 1 ? this.perMinute : Math.ceil(this.perMinute * (1 - RESERVED_SHARE));
  }

  /** Checks again when the next token returns; only while a restart waits for one. */
  async #lookAgain(): Promise<void> {
    this.#wakeUp?.abort();
    const [oldest] = this.#taken;
    if (this.#requests.length === 0 || oldest === undefined) return;
    const wakeUp = new AbortController();
    this.#wakeUp = wakeUp;
    await sleep(oldest + MINUTE_MS - this.now(), wakeUp.signal);
    if (!wakeUp.signal.aborted) this.#grantAll();
  }
}
