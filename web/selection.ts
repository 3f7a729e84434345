/** Which cameras the wall shows, and in what order. Pure. */
import type { ApiCamera } from '../src/actors/web/view/api';
import { CONDITIONS } from './conditions.js';
import type { Choice, Sort } from './route.js';

/** Share of the last hour that was delivered, by camera. */
export type Shares = ReadonlyMap<string, number>;

const COLLATOR = new Intl.Collator('en', { numeric: true });

export function select(cameras: Iterable<ApiCamera>, choice: Choice, shares: Shares): ApiCamera[] {
  return [...cameras].filter((camera) => isChosen(camera, choice)).sort(comparison(choice.sort, shares));
}

export function isChosen(camera: ApiCamera, { conditions, tags, search }: Choice): boolean {
  if (conditions.length > 0 && !conditions.includes(camera.condition)) return false;
  if (!tags.every((tag) => camera.tags.includes(tag))) return false;
  const text = [camera.id, ...camera.tags, camera.fault?.message ?? ''].join('\n').toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function comparison(sort: Sort, shares: Shares): (a: ApiCamera, b: ApiCamera) => number {
  const byName = (a: ApiCamera, b: ApiCamera) => COLLATOR.compare(a.id, b.id);
  switch (sort) {
    case 'state':
      return (a, b) => rank(a) - rank(b) || byName(a, b);
    case 'name':
      return byName;
    case 'coverage':
      return (a, b) => (shares.get(a.id) ?? 1) - (shares.get(b.id) ?? 1) || byName(a, b);
    case 'age':
      return (a, b) => lastPicture(a) - lastPicture(b) || byName(a, b);
  }
}

function rank({ condition }: ApiCamera): number {
  return CONDITIONS.indexOf(condition);
}

/** Cameras that deliver are alike: they would change places every second. */
function lastPicture({ condition, picture }: ApiCamera): number {
  return condition === 'delivering' ? Number.MAX_SAFE_INTEGER : (picture?.capturedAt ?? 0);
}

/** Every tag with the number of cameras that have it, by name. */
export function tagCounts(cameras: Iterable<ApiCamera>): [tag: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { tags } of cameras) for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => COLLATOR.compare(a, b));
}
