/** Ids and tags that refer to cameras elsewhere in the configuration: a misspelt one would never match. Pure. */
import type { ConfigFault } from './faults';

export interface Known {
  readonly ids: ReadonlySet<unknown>;
  readonly tags: ReadonlySet<unknown>;
}

type Names = readonly (string | undefined)[] | undefined;

/** @param at JSON path of the object with `cameras` and `tags`; undefined names are not checked */
export function unknownFaults(
  { cameras, tags }: { readonly cameras?: Names; readonly tags?: Names },
  known: Known,
  at: string,
): ConfigFault[] {
  const unknown = (
    key: string,
    names: Names,
    there: ReadonlySet<unknown>,
    problem: (name: string) => string,
  ) =>
    (names ?? []).flatMap((name, i) =>
      name === undefined || there.has(name)
        ? []
        : [{ path: `${at}.${key}[${i}]`, problem: problem(JSON.stringify(name)) }],
    );
  return [
    ...unknown(
      'cameras',
      cameras,
      known.ids,
      (name) => `${name} is not the id of a camera; correct or remove it`,
    ),
    ...unknown('tags', tags, known.tags, (name) => `no camera has the tag ${name}; correct or remove it`),
  ];
}
