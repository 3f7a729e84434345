/** Brings cameras to the nodes they belong on: offers them, gives them away, takes over what is offered to this node. */
import type { Frame } from '../contract/frame';
import type { Log } from '../log/log';
import { numbered, type Numbered } from '../protocol/numbered';
import type { Facts, Present } from './facts';
import { Handovers } from './handover';
import type { Holdings } from './holdings';
import { Moves } from './pace';
import type { Roster } from './roster';
import type { Steps } from './steps';
import { byNode, gaveAwayWords, listOf, offerWords, retractWords } from './words';

/** A camera without a picture for so long loses nothing by a move. */
const SILENT_MS = 10_000;

export type CapturedFrame = Pick<Frame, 'camera' | 'capturedAt' | 'sequence' | 'clock' | 'clockSkewMs'>;

export interface MovementOptions {
  readonly node: string;
  readonly facts: Facts;
  readonly holdings: Holdings;
  readonly log: Log;
  /** A clock that is never set, milliseconds. */
  readonly now: () => number;
}

export class Movement {
  readonly #moves = new Moves();
  readonly #handovers = new Handovers();
  /** The newest picture that this node captured of a camera, and when it did. */
  readonly #captured = new Map<string, { readonly picture: Numbered; readonly ms: number }>();

  /** Cameras whose owners are to be looked at. */
  readonly #changed: Set<string>;

  constructor(private readonly options: MovementOptions) {
    this.#changed = options.facts.owners.changes();
  }

  /** Remembers no cameras but these. */
  keep(present: Present): void {
    this.#moves.keep(present);
    this.#handovers.keep(present);
    for (const id of this.#captured.keys()) if (!present.has(id)) this.#captured.delete(id);
  }

  /**
   * @param wanted where cameras of this node belong that do not belong here
   * @param waiting cameras of all nodes that belong elsewhere, in an order that is the same for all
   * @throws Fault of etcd
   */
  async turn(
    { moves: wanted, waiting }: Pick<Steps, 'moves' | 'waiting'>,
    roster: Pick<Roster, 'isSingle'>,
    isDraining: boolean,
  ): Promise<void> {
    const { node, facts, holdings, log, now } = this.options;
    const owned = facts.owners.of(node);
    const isBroken = (id: string) =>
      roster.isSingle(id) || now() - (this.#captured.get(id)?.ms ?? -Infinity) > SILENT_MS;
    this.#moves.look(facts.owners, this.#changed, now());
    this.#changed.clear();
    const free = this.#moves.free(waiting, now());
    const mayMove = (id: string) => free.has(id);
    const { offer, retract, giveAway } = this.#handovers.turn(
      { owned, wanted, isDraining, mayMove, isBroken },
      now(),
    );
    if (!isDraining) for (const id of giveAway) this.#moves.begins(id, now());
    for (const [to, ids] of byNode(offer)) log.info(offerWords(to, ids, isDraining));
    for (const { id, to, because } of offer) {
      const newest = this.#captured.get(id)?.picture;
      await holdings.offer(id, { to, toBecause: because, ...(newest && { newest }) });
    }
    for (const id of retract) await holdings.offer(id);
    if (retract.length > 0) log.info(retractWords(retract));
    if (giveAway.length === 0) return;
    await holdings.giveAway(giveAway);
    log.info(gaveAwayWords(giveAway, isDraining));
  }

  /**
   * A picture of the camera is in the spool of this node: if the camera was offered to it, it is its own from now on.
   * @throws Fault of etcd
   */
  async captured(frame: CapturedFrame): Promise<void> {
    const { camera } = frame;
    const { holdings, log, now } = this.options;
    this.#captured.set(camera, { picture: numbered(frame), ms: now() });
    const from = await holdings.captured(camera);
    if (from !== undefined) log.info(`took over ${listOf([camera])} from ${from}`);
  }
}
