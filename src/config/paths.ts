/** Places in a configuration: as lists of keys and indexes, and as JSON paths for people. */

export type Place = readonly (string | number)[];

/** `['cameras', 3, 'rate']` as `$.cameras[3].rate`; keys that are not plain names are written in brackets. */
export function jsonPath(place: Place): string {
  return place.reduce<string>((path, part) => {
    if (typeof part === 'number') return `${path}[${part}]`;
    return /^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(part) ? `${path}.${part}` : `${path}[${JSON.stringify(part)}]`;
  }, '$');
}

/** The place that a JSON pointer (RFC 6901) names in `value`: digits are an index only in a list. */
export function placeOfPointer(pointer: string, value: unknown): Place {
  const keys = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  let within = value;
  return keys.map((key) => {
    const part = Array.isArray(within) ? Number(key) : key;
    within = (within as Record<string | number, unknown> | null | undefined)?.[part];
    return part;
  });
}

/** The value at a place; undefined if there is none. */
export function valueAt(place: Place, value: unknown): unknown {
  return place.reduce<unknown>(
    (within, part) => (within as Record<string | number, unknown> | null | undefined)?.[part],
    value,
  );
}
