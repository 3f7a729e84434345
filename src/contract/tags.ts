/** Tags of cameras: reading a camera's tags, and choosing cameras by tags. Pure. */

/** Tags by the id of their camera; a camera without tags has no entry. */
export type CameraTags = Readonly<Record<string, readonly string[]>>;

/** A camera's tags; its id may be the name of a property that every object has. */
export function tagsOf(tags: CameraTags, camera: string): readonly string[] {
  return Object.hasOwn(tags, camera) ? (tags[camera] ?? []) : [];
}

/** Whether `tags` has all of `wanted`; true if `wanted` is empty. */
export function hasAll(tags: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((tag) => tags.includes(tag));
}
