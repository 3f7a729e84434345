/** Tags of cameras: whose they are, and choosing cameras by them. Pure. */

/** Tags by the id of their camera; a camera without any is not there. */
export type CameraTags = Readonly<Record<string, readonly string[]>>;

/** An id may be the name of something every object has. */
export function tagsOf(tags: CameraTags, camera: string): readonly string[] {
  return Object.hasOwn(tags, camera) ? (tags[camera] ?? []) : [];
}

/** Whether `tags` has all of `wanted`; without any, every camera is meant. */
export function hasAll(tags: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((tag) => tags.includes(tag));
}
