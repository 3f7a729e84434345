/** Cameras as status and the page list them: the configured ones, with their tags. Pure. */
import type { Topology } from '../config/topology';
import { tagsOf, type CameraTags } from '../contract/tags';
import { cameraIdOf } from './actor-specs';
import type { ChildStatus, ConfiguredCamera } from './status';

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

/** Adds the tags to the status of each camera. */
export function tagged(actors: readonly ChildStatus[], { tags }: Topology): ChildStatus[] {
  return actors.map((child) => ({ ...child, ...shownTags(tags, cameraIdOf(child.name)) }));
}

/** Absent if the camera has none. */
function shownTags(tags: CameraTags, camera = ''): { readonly tags?: readonly string[] } {
  const own = tagsOf(tags, camera);
  return own.length === 0 ? {} : { tags: own };
}
