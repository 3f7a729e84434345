/** Moves cameras to the nodes they belong on: offers them, gives them away, and adopts those offered to this node. */
import type { Frame } from '../contract/frame';
import type { Log } from '../log/log';
import { numbered, type Numbered } from '../protocol/numbered';
import type { Facts, Present } from './facts';
import { Handovers } from './handover';
import type { Holdings } from './holdings';
import { MoveQueue } from './pace';
import { Permits, type PermitsOptions } from './permits';
import type { Roster } from './roster';
import type { Steps } from './steps';
import { byNode, gaveAwaySentence, listOf, offerSentence, retractSentence } from './sentences';

/** A camera without a picture for this long loses nothing by a move. */
const SILENT_MS = 10_000;

export type CapturedFrame = Pick<Frame, 'camera' | 'capturedAt' | 'sequence' | 'clock' | 'clockSkewMs'>;

export interface MovementOptions extends PermitsOptions {
  readonly facts: Facts;
  readonly holdings: Holdings;
  readonly log: Log;
}

export class Movement {
  readonly #queue = new MoveQueue();
  readonly #permits: Permits;
  readonly #handovers = new Handovers();
  /** The newest picture that this node captured of a camera, and when it did. */
  readonly #captured = new Map<string, { readonly picture: Numbered; readonly ms: number }>();

  constructor(private readonly options: MovementOptions) {
    this.#permits = new Permits(options);
  }

  /** Remembers no cameras but these. */
  keep(present: Present): void {
    this.#queue.keep(present);
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
    const waits = (id: string) => facts.owners.get(id)?.to === undefined;
    const next = this.#queue.next(waiting.filter(waits), this.#permits.free, now());
    const mayMove = (id: string) => next.has(id);
    const turn = this.#handovers.turn({ owned, wanted, isDraining, mayMove, isBroken }, now());
    // Cameras that are already moving need no permit, nor do those of a node that drains.
    const begins = isDraining ? [] : [...turn.offer.map(({ id }) => id), ...turn.giveAway].filter(waits);
    const denied = new Set(await this.#denied(begins, next));
    const offer = turn.offer.filter(({ id }) => !denied.has(id));
    const giveAway = turn.giveAway.filter((id) => !denied.has(id));
    for (const [to, ids] of byNode(offer)) log.info(offerSentence(to, ids, isDraining));
    for (const { id, to, because } of offer) {
      const newest = this.#captured.get(id)?.picture;
      await holdings.offer(id, { to, toBecause: because, ...(newest && { newest }) });
    }
    for (const id of turn.retract) await holdings.offer(id);
    if (turn.retract.length > 0) log.info(retractSentence(turn.retract));
    if (giveAway.length === 0) return;
    await holdings.giveAway(giveAway);
    log.info(gaveAwaySentence(giveAway, isDraining));
  }

  /** Cameras that cannot begin to move, because another node has taken their permits. */
  async #denied(ids: readonly string[], permits: ReadonlyMap<string, string>): Promise<string[]> {
    const taken = await Promise.all(ids.map(async (id) => this.#permits.take(permits.get(id) as string, id)));
    return ids.filter((_, i) => taken[i] !== true);
  }

  /**
   * A picture of the camera is in the spool of this node: if the camera was offered to this node, it now owns
   * it.
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
