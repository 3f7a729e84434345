/** The part of a configuration that this node of a fleet runs. Pure. */
import { createHash } from 'node:crypto';
import { tagsOf, type CameraTags } from '../contract/tags';
import type { Topology } from '../config/topology';
import { redactUrl } from '../url/url';
import type { ClaimParameters } from '../protocol/messages';
import type { ConfiguredCamera } from './status';

/** Beyond the time a picture waits and lives, for nodes whose settings differ. */
const SPARE_MS = 3_600_000;

/** @param held ids of cameras; undefined of a daemon that is alone */
export function heldPart(topology: Topology, held: ReadonlySet<string> | undefined): Topology {
  if (held === undefined) return topology;
  const enabled = new Set(topology.cameras.map(({ id }) => id));
  return {
    ...topology,
    cameras: topology.cameras.filter(({ id }) => held.has(id)),
    cameraIds: topology.cameraIds.filter((id) => held.has(id) || !enabled.has(id)),
  };
}

/** All cameras of a configuration, disabled ones too. */
export function camerasOf({ cameras, cameraIds, tags }: Topology): ConfiguredCamera[] {
  const periodMs = new Map(cameras.map((camera) => [camera.id, camera.periodMs]));
  return cameraIds.map((id) => {
    const of = periodMs.get(id);
    return {
      id,
      ...(of === undefined ? { enabled: false } : { enabled: true, periodMs: of }),
      ...shownTags(tags, id),
    };
  });
}

/** Absent where the camera has none. */
export function shownTags(tags: CameraTags, camera = ''): { readonly tags?: readonly string[] } {
  const own = tagsOf(tags, camera);
  return own.length === 0 ? {} : { tags: own };
}

/** Undefined of a daemon that is alone. */
export function claimsOf({ fleet, spool, expireMs }: Topology, token: string): ClaimParameters | undefined {
  return fleet && { token, keepMs: spool.maxAgeMs + expireMs + SPARE_MS };
}

/** Differs where nodes would run a camera in different ways; tells nothing of credentials. */
export function configurationHash({ namespace, cameras }: Topology): string {
  const clean = (key: string, value: unknown) =>
    key === 'url' && typeof value === 'string' ? redactUrl(value) : value;
  const text = JSON.stringify([namespace, cameras], clean);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
