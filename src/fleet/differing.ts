/** Warns of nodes that run another configuration, once for each difference that persists. */
import type { Log } from '../log/log';
import type { NodeRecord } from './facts';
import { differingSentence } from './sentences';

/** Nodes apply an edit within two seconds, and report it with their next renewal. */
const STAYS_MS = 10_000;

export class Differing {
  #found: { readonly sentence: string; readonly sinceMs: number; isSaid: boolean } | undefined;

  constructor(
    private readonly log: Pick<Log, 'warn'>,
    private readonly now: () => number,
  ) {}

  look(nodes: ReadonlyMap<string, NodeRecord>, own: string): void {
    const sentence = differingSentence(nodes, own);
    if (sentence !== this.#found?.sentence)
      this.#found = sentence === undefined ? undefined : { sentence, sinceMs: this.now(), isSaid: false };
    if (this.#found === undefined || this.#found.isSaid || this.now() - this.#found.sinceMs < STAYS_MS)
      return;
    this.#found.isSaid = true;
    this.log.warn(this.#found.sentence, { code: 'fleet-configuration' });
  }
}
