/** Which services get an event of a camera. Pure. */
import type { ServiceSpec } from '../../config/topology';
import type { EventKind } from '../../contract/topology';

export class ServiceRoutes {
  readonly #services: readonly { readonly spec: ServiceSpec; readonly gets: RegExp | undefined }[];

  constructor(services: readonly ServiceSpec[]) {
    this.#services = services.map((spec) => ({ spec, gets: patternOf(spec.cameras) }));
  }

  /** In the order of the configuration. @param tags of the camera */
  of(camera: string, tags: readonly string[], kind: EventKind): ServiceSpec[] {
    return this.#services
      .filter(({ spec, gets }) => spec.events.includes(kind) && isWanted(spec, gets, camera, tags))
      .map(({ spec }) => spec);
  }
}

function isWanted(
  { tags: wanted }: ServiceSpec,
  gets: RegExp | undefined,
  camera: string,
  tags: readonly string[],
): boolean {
  if (gets === undefined && wanted === undefined) return true;
  return gets?.test(camera) === true || (wanted ?? []).some((tag) => tags.includes(tag));
}

/** Ids and patterns have no characters but `*` that mean something to a regular expression. */
function patternOf(cameras: readonly string[] | undefined): RegExp | undefined {
  if (cameras === undefined) return undefined;
  return new RegExp(`^(?:${cameras.map((id) => id.replace(/\*+/g, '.*')).join('|')})$`);
}
