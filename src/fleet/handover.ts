/** What a node does about cameras that belong elsewhere: offers them, and waits until the other node captures them. Pure. */
import type { Because, Owned, Present } from './facts';

/** A new node that has not captured the camera by then cannot reach it (`connectMs` is 20 s). */
const OFFER_MS = 30_000;
/** How long a camera that its new node could not capture is not offered again. */
const DECLINED_MS = 600_000;

export interface Move {
  readonly id: string;
  readonly to: string;
}

export interface Own {
  /** This node's cameras according to etcd. */
  readonly owned: ReadonlyMap<string, Pick<Owned, 'to'>>;
  /** Where cameras of this node belong that do not belong here. */
  readonly wanted: readonly Move[];
  readonly isDraining: boolean;
  /** Whether a camera may begin to move for balance. */
  readonly mayMove: (id: string) => boolean;
  /** The camera allows one viewer, or has no picture now: capturing it twice gains nothing. */
  readonly isBroken: (id: string) => boolean;
}

export interface Turn {
  /** The other node may capture it in parallel, and then owns it. */
  readonly offer: readonly (Move & { readonly because: Because })[];
  readonly retract: readonly string[];
  /** Cameras to be stopped here before another node starts them. */
  readonly giveAway: readonly string[];
}

export class Handovers {
  readonly #offeredMs = new Map<string, number>();
  readonly #declinedMs = new Map<string, number>();

  /** Remembers no cameras but these. */
  keep(present: Present): void {
    for (const past of [this.#offeredMs, this.#declinedMs])
      for (const id of past.keys()) if (!present.has(id)) past.delete(id);
  }

  turn({ owned, wanted, isDraining, mayMove, isBroken }: Own, nowMs: number): Turn {
    const moves = new Map(wanted.map(({ id, to }) => [id, to]));
    const [offer, retract, giveAway]: [(Move & { because: Because })[], string[], string[]] = [[], [], []];
    for (const [id, { to: offered }] of owned) {
      const to = moves.get(id);
      if (offered === undefined) this.#offeredMs.delete(id);
      if (to === undefined) {
        if (offered !== undefined) retract.push(id);
        continue;
      }
      if (offered === undefined && !isDraining && (!mayMove(id) || this.#isDeclined(id, nowMs))) continue;
      const sinceMs = this.#offeredMs.get(id);
      if (isBroken(id) || (isDraining && sinceMs !== undefined && nowMs - sinceMs > OFFER_MS))
        giveAway.push(id);
      else if (offered !== to) {
        offer.push({ id, to, because: isDraining ? 'drain' : 'balance' });
        // The time starts again for another node; during a drain it covers all nodes together.
        if (!isDraining || sinceMs === undefined) this.#offeredMs.set(id, nowMs);
      } else if (sinceMs === undefined) this.#offeredMs.set(id, nowMs);
      else if (nowMs - sinceMs > OFFER_MS) {
        retract.push(id);
        this.#declinedMs.set(id, nowMs);
      }
    }
    return { offer, retract, giveAway };
  }

  #isDeclined(id: string, nowMs: number): boolean {
    return nowMs - (this.#declinedMs.get(id) ?? -Infinity) < DECLINED_MS;
  }
}
