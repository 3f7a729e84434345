/**
 * Which services receive an event of a camera. Pure, except for a cache of the cameras each service names.
 */
import type { ServiceSpec } from '../../config/topology';
import { matchesWildcard } from '../../config/wildcard';
import type { EventKind } from '../../contract/broker-names';

export class ServiceRoutes {
  readonly #services: readonly {
    readonly spec: ServiceSpec;
    readonly isNamed: (camera: string) => boolean;
  }[];

  constructor(services: readonly ServiceSpec[]) {
    this.#services = services.map((spec) => ({ spec, isNamed: namedBy(spec.cameras ?? []) }));
  }

  /** In the order of the configuration. @param tags of the camera */
  of(camera: string, tags: readonly string[], kind: EventKind): ServiceSpec[] {
    return this.#services
      .filter(
        ({ spec, isNamed }) =>
          spec.events.includes(kind) &&
          (isForAll(spec) || isNamed(camera) || (spec.tags ?? []).some((tag) => tags.includes(tag))),
      )
      .map(({ spec }) => spec);
  }
}

function isForAll({ cameras, tags }: ServiceSpec): boolean {
  return cameras === undefined && tags === undefined;
}

/** Ids and patterns may be thousands: each camera is looked up in them once. */
function namedBy(cameras: readonly string[]): (camera: string) => boolean {
  const known = new Map<string, boolean>();
  return (camera) => {
    const before = known.get(camera);
    if (before !== undefined) return before;
    const isNamed = cameras.some((pattern) => matchesWildcard(pattern, camera));
    known.set(camera, isNamed);
    return isNamed;
  };
}
