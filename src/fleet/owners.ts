/** Who owns which camera, found by camera, by node and by the node that it is offered to; and which have changed. Pure. */
import type { Owned } from './facts';

const NONE: ReadonlyMap<string, Owned> = new Map();

export class Owners extends Map<string, Owned> {
  readonly #byNode = new Map<string, Map<string, Owned>>();
  readonly #byOffer = new Map<string, Map<string, Owned>>();
  readonly #changed: Set<string>[] = [];

  /** The cameras of a node. */
  of(node: string): ReadonlyMap<string, Owned> {
    return this.#byNode.get(node) ?? NONE;
  }

  /** Cameras that a node may adopt. */
  offeredTo(node: string): ReadonlyMap<string, Owned> {
    return this.#byOffer.get(node) ?? NONE;
  }

  /** @returns a set that collects cameras whose records change from now on; the caller empties it */
  changes(): Set<string> {
    const changed = new Set(this.keys());
    this.#changed.push(changed);
    return changed;
  }

  override set(camera: string, owner: Owned): this {
    this.#forget(camera);
    add(this.#byNode, owner.node, camera, owner);
    if (owner.to !== undefined) add(this.#byOffer, owner.to, camera, owner);
    return super.set(camera, owner);
  }

  override delete(camera: string): boolean {
    this.#forget(camera);
    return super.delete(camera);
  }

  override clear(): void {
    for (const camera of [...this.keys()]) this.delete(camera);
  }

  #forget(camera: string): void {
    for (const changed of this.#changed) changed.add(camera);
    const { node, to } = this.get(camera) ?? {};
    if (node !== undefined) remove(this.#byNode, node, camera);
    if (to !== undefined) remove(this.#byOffer, to, camera);
  }
}

type Index = Map<string, Map<string, Owned>>;

function add(index: Index, name: string, camera: string, owner: Owned): void {
  const found = index.get(name);
  if (found === undefined) index.set(name, new Map([[camera, owner]]));
  else found.set(camera, owner);
}

function remove(index: Index, name: string, camera: string): void {
  const found = index.get(name);
  found?.delete(camera);
  if (found?.size === 0) index.delete(name);
}
