/** What each camera weighs for the placement: the same for every member, by what etcd says alone. Pure. */
import type { Facts } from './facts';

/**
 * A camera weighs what its node has measured, or what the node before had; one that nobody has measured, or nobody owns, what
 * the measured ones do on average at its rate.
 * @param cameras of the configuration, with their rates as weights
 */
export function weighed<Camera extends { readonly id: string; readonly weight: number }>(
  cameras: readonly Camera[],
  { nodes, owners }: Pick<Facts, 'nodes' | 'owners'>,
): Camera[] {
  const costs = cameras.map(({ id }) => {
    const owner = owners.get(id);
    return owner === undefined ? undefined : (nodes.get(owner.node)?.costs?.[id] ?? owner.cost);
  });
  let [measured, rates] = [0, 0];
  for (const [i, { weight }] of cameras.entries()) {
    const cost = costs[i];
    if (cost === undefined) continue;
    measured += cost;
    rates += weight;
  }
  const perRate = rates === 0 ? 1 : measured / rates;
  return cameras.map((camera, i) => ({ ...camera, weight: costs[i] ?? camera.weight * perRate }));
}
