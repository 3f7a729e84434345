/** The page's address and what it stands for: everything an operator has chosen is in it, so that it can be bookmarked. */
import type { CameraCondition } from '../src/actors/web/view/api';
import { CONDITIONS, isCondition } from './conditions.js';

export const SORTS = ['state', 'name', 'coverage', 'age'] as const;
export type Sort = (typeof SORTS)[number];

export const SIZES = ['small', 'medium', 'large'] as const;
export type Size = (typeof SIZES)[number];

export interface Choice {
  readonly sort: Sort;
  readonly size: Size;
  /** Only cameras with these conditions; all if it is empty. */
  readonly conditions: readonly CameraCondition[];
  /** Only cameras that have all of these tags. */
  readonly tags: readonly string[];
  /** Only cameras whose id, tags or fault contain each of these search terms. */
  readonly search: string;
}

export interface Route {
  readonly choice: Choice;
  /** The camera that is shown; the wall if there is none. */
  readonly camera?: string;
}

export const EVERYTHING: Choice = { sort: 'state', size: 'medium', conditions: [], tags: [], search: '' };

const CAMERA_HASH = /^#\/camera\/(.+)$/;

/** Reads the route from an address; unknown values count as not chosen. */
export function readRoute({ search, hash }: { readonly search: string; readonly hash: string }): Route {
  const query = new URLSearchParams(search);
  const choice: Choice = {
    sort: SORTS.find((sort) => sort === query.get('sort')) ?? EVERYTHING.sort,
    size: SIZES.find((size) => size === query.get('size')) ?? EVERYTHING.size,
    conditions: list(query, 'state').filter(isCondition),
    tags: list(query, 'tag'),
    search: query.get('q') ?? '',
  };
  const camera = CAMERA_HASH.exec(hash)?.[1];
  return camera === undefined ? { choice } : { choice, camera: decoded(camera) };
}

/** The address, relative to the page's own. */
export function routeAddress({ choice, camera }: Route): string {
  const query = new URLSearchParams();
  const conditions = CONDITIONS.filter((condition) => choice.conditions.includes(condition));
  if (conditions.length > 0) query.set('state', conditions.join(','));
  for (const tag of choice.tags) query.append('tag', tag);
  if (choice.search !== '') query.set('q', choice.search);
  if (choice.sort !== EVERYTHING.sort) query.set('sort', choice.sort);
  if (choice.size !== EVERYTHING.size) query.set('size', choice.size);
  const text = query.toString().replaceAll('%2C', ',');
  return `${text === '' ? './' : `./?${text}`}${camera === undefined ? '' : `#/camera/${encodeURIComponent(camera)}`}`;
}

function list(query: URLSearchParams, name: string): string[] {
  const values = query.getAll(name).flatMap((value) => (name === 'state' ? value.split(',') : [value]));
  return [...new Set(values.filter((value) => value !== ''))];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
