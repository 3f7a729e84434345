/** How far the clocks of other nodes differ from this one's, judged by when their signs of life arrive. Pure. */
import type { NodeRecord } from './facts';

/** Milliseconds beyond which a warning is logged. */
export const MAX_SKEW_MS = 250;
/** Number of signs of life, one every five seconds, of which the fastest one counts: etcd or this machine may be slow. */
const KEPT = 6;
const LEAST = 2;

interface Heard {
  beat: number;
  /** Milliseconds that each was ahead of its arrival. */
  aheadMs: number[];
}

export class ClockSkews {
  readonly #heard = new Map<string, Heard>();

  /** @param own this node, the reference for all others */
  constructor(private readonly own: string) {}

  /**
   * Reads new signs of life.
   * @param nowMs when they arrived, milliseconds since the epoch; undefined if unknown
   */
  hear(nodes: ReadonlyMap<string, NodeRecord>, nowMs: number | undefined): void {
    for (const name of this.#heard.keys()) if (!nodes.has(name)) this.#heard.delete(name);
    for (const [name, { beat, clockMs }] of nodes) {
      if (name === this.own) continue;
      const heard = this.#heard.get(name) ?? { beat: NaN, aheadMs: [] };
      if (beat === heard.beat) continue;
      this.#heard.set(name, heard);
      heard.beat = beat;
      if (clockMs === undefined || nowMs === undefined) continue;
      heard.aheadMs = [...heard.aheadMs, clockMs - nowMs].slice(-KEPT);
    }
  }

  /** Milliseconds by which the node's clock is ahead of this one's, less the transmission time; undefined until known. */
  of(name: string): number | undefined {
    const { aheadMs = [] } = this.#heard.get(name) ?? {};
    return aheadMs.length < LEAST ? undefined : Math.max(...aheadMs);
  }

  /** Nodes whose clocks are too far away, by name. */
  get far(): ReadonlyMap<string, number> {
    const all = [...this.#heard.keys()].sort().map((name) => [name, this.of(name) ?? 0] as const);
    return new Map(all.filter(([, skewMs]) => Math.abs(skewMs) > MAX_SKEW_MS));
  }
}
