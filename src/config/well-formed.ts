/** A configuration of which some values are not what they should be: rules look at the others. Pure. */
import { valueAt, type Place } from './paths';

/** A value that is ill-formed is `undefined`, and its key is still there: rules about presence see it. */
export type WellFormed<T> = T extends readonly (infer Item)[]
  ? readonly (WellFormed<Item> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: WellFormed<T[K]> | undefined }
    : T;

/** Takes what is ill-formed out of `value`, in place; undefined if that is all of it. */
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
