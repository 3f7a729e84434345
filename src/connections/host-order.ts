/** The order in which the hosts of a cluster are tried: those that failed most recently come last. Pure. */

export class HostOrder {
  /** When each host failed, counted in failures. */
  readonly #failed = new Map<string, number>();
  #failures = 0;

  /** @param hosts in the order of the URL, which is kept among hosts that never failed */
  constructor(private readonly hosts: readonly string[]) {}

  /** The hosts in the order of trying. */
  next(): readonly string[] {
    const rank = (host: string) => this.#failed.get(host) ?? 0;
    return [...this.hosts].sort((a, b) => rank(a) - rank(b));
  }

  failed(host: string): void {
    this.#failed.set(host, ++this.#failures);
  }
}
