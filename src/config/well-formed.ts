/** A configuration in which some values are ill-formed: rules check the others. Pure. */
import { valueAt, type Place } from './paths';

/** An ill-formed value is `undefined` but keeps its key, so that rules about presence see it. */
export type WellFormed<T> = T extends readonly (infer Item)[]
  ? readonly (WellFormed<Item> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: WellFormed<T[K]> | undefined }
    : T;

/** Removes the ill-formed parts of `value`, in place; undefined if the whole value is ill-formed. */
export function withoutIllFormed(value: unknown, illFormed: readonly Place[]): unknown {
  for (const place of illFormed) {
    const key = place.at(-1);
    if (key === undefined) return undefined;
    const within = valueAt(place.slice(0, -1), value);
    if (typeof within === 'object' && within !== null)
      (within as Record<string | number, unknown>)[key] = undefined;
  }
  return value;
}
