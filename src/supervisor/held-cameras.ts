/** The part of a configuration that this node of a fleet runs. */
import { createHash } from 'node:crypto';
import type { Topology } from '../config/topology';
import type { DataDirectory } from './data-directory';
import { nodeName } from './identity';
import type { ClaimParameters } from '../protocol/messages';
import type { Arriving } from '../protocol/numbered';

/** Margin beyond the time a picture waits and is stored, for nodes whose settings differ. */
const SPARE_MS = 3_600_000;

/** @param held ids of cameras; undefined for a daemon outside a fleet */
export function heldPart(topology: Topology, held: ReadonlySet<string> | undefined): Topology {
  if (held === undefined) return topology;
  const enabled = new Set(topology.cameras.map(({ id }) => id));
  return {
    ...topology,
    cameras: topology.cameras.filter(({ id }) => held.has(id)),
    cameraIds: topology.cameraIds.filter((id) => held.has(id) || !enabled.has(id)),
  };
}

/** What this node accounts for: not cameras that other nodes still hold. */
export function withoutArriving(topology: Topology, arriving: Arriving): Topology {
  if (arriving.size === 0) return topology;
  return { ...topology, cameras: topology.cameras.filter(({ id }) => !arriving.has(id)) };
}

/** Undefined for a daemon outside a fleet. */
export function claimsOf(
  { fleet, spool, expireMs }: Topology,
  token: string,
  data: Pick<DataDirectory, 'path'>,
): ClaimParameters | undefined {
  const ledgerDir = data.path('ledger');
  return fleet && { node: nodeName(fleet), token, ledgerDir, keepMs: spool.maxAgeMs + expireMs + SPARE_MS };
}

/** A name that differs between nodes that run other cameras or announce them elsewhere. */
export function configurationName(
  { namespace }: Pick<Topology, 'namespace'>,
  revision: number,
  id: string,
): string {
  const hash = createHash('sha256').update(`${namespace} ${id}`).digest('hex');
  return `r${revision}-${hash.slice(0, 8)}`;
}
