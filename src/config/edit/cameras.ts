/** Edits of the cameras of actors.json, and what each does to its text. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../is-object';
import type { Place } from '../paths';
import { EditFault } from './fault';
import { restored, type Settings } from './hidden';
import { withoutValue, withValue } from './text';

export type Edit =
  /** Replaces the settings of the camera, or appends a new camera. */
  | { readonly kind: 'put'; readonly camera: string; readonly settings: Settings }
  /** Merges as in RFC 7396: null removes a setting. */
  | { readonly kind: 'patch'; readonly camera: string; readonly settings: Settings }
  | { readonly kind: 'remove'; readonly camera: string }
  /** Replaces all cameras and their defaults by those of another file. */
  | { readonly kind: 'apply'; readonly cameras: readonly unknown[]; readonly cameraDefaults?: unknown };

/** Cameras changed one by one, each at the cost of parsing the whole text; when more change, the whole list is written again. */
const MAX_STEPS = 20;

interface File {
  readonly cameras?: unknown;
  readonly cameraDefaults?: unknown;
}

/**
 * The text of the file after an edit.
 * @param written the parsed content of `text`
 * @throws EditFault; NoSuchPlace if the file has no list of cameras
 */
export function editedText(text: string, written: unknown, edit: Edit): string {
  const { cameras, cameraDefaults } = (isObject(written) ? written : {}) as File;
  if (edit.kind === 'apply') return appliedText(text, { cameras: listOf(cameras), cameraDefaults }, edit);
  const place = placeOf(listOf(cameras), edit.camera);
  const stored = place === undefined ? undefined : (listOf(cameras)[place] as Settings);
  switch (edit.kind) {
    case 'remove':
      if (place === undefined) throw noCamera(edit.camera);
      return withoutValue(text, ['cameras', place]);
    case 'put': {
      const settings = restored(ownId(edit), stored);
      if (stored !== undefined && place !== undefined)
        return settingsText(text, ['cameras', place], stored, settings);
      const list = cameras === undefined ? withValue(text, ['cameras'], []) : text;
      return withValue(list, ['cameras', listOf(cameras).length], settings);
    }
    case 'patch': {
      if (stored === undefined || place === undefined) throw noCamera(edit.camera);
      const named = new Set(Object.keys(edit.settings));
      const settings = restored(merged(stored, ownId(edit)) as Settings, stored, named);
      return settingsText(text, ['cameras', place], stored, settings);
    }
  }
}

/** Only settings that differ are touched: the others keep their position and their formatting. */
function settingsText(text: string, at: Place, before: Settings, after: Settings): string {
  let result = text;
  for (const key of Object.keys(before)) if (!(key in after)) result = withoutValue(result, [...at, key]);
  for (const [key, value] of Object.entries(after))
    if (!isDeepStrictEqual(before[key], value)) result = withValue(result, [...at, key], value);
  return result;
}

/** Cameras that stay keep their text; the order is that of the other file. */
function appliedText(
  text: string,
  before: { readonly cameras: readonly unknown[]; readonly cameraDefaults?: unknown },
  { cameras, cameraDefaults }: Edit & { readonly kind: 'apply' },
): string {
  let result = text;
  if (cameraDefaults === undefined && before.cameraDefaults !== undefined)
    result = withoutValue(result, ['cameraDefaults']);
  if (cameraDefaults !== undefined && !isDeepStrictEqual(before.cameraDefaults, cameraDefaults))
    result =
      isObject(cameraDefaults) && isObject(before.cameraDefaults)
        ? settingsText(result, ['cameraDefaults'], before.cameraDefaults, cameraDefaults)
        : withValue(result, ['cameraDefaults'], cameraDefaults);
  if (isDeepStrictEqual(before.cameras, cameras)) return result;
  const kept = before.cameras.filter((one) => cameras.some((other) => idOf(other) === idOf(one)));
  const inOrder = kept.every((one, i) => idOf(one) === idOf(cameras[i]));
  const same = kept.filter((one, i) => isDeepStrictEqual(one, cameras[i])).length;
  const steps = before.cameras.length + cameras.length - 2 * same;
  if (!inOrder || steps > MAX_STEPS || before.cameras.length === 0)
    return withValue(result, ['cameras'], cameras);
  for (let i = before.cameras.length - 1; i >= 0; i--)
    if (!kept.includes(before.cameras[i])) result = withoutValue(result, ['cameras', i]);
  cameras.forEach((camera, i) => {
    const old = kept[i];
    if (isObject(old) && isObject(camera)) result = settingsText(result, ['cameras', i], old, camera);
    else result = withValue(result, ['cameras', i], camera);
  });
  return result;
}

/** The URL or argument names the camera; an `id` in the body must be the same. */
function ownId({ camera, settings }: { readonly camera: string; readonly settings: Settings }): Settings {
  const { id = camera } = settings;
  if (id !== camera)
    throw new EditFault(
      'wrong-id',
      `the settings are those of another camera ("id" is not "${camera}"); to rename a camera, add one and remove the other`,
    );
  return { id, ...settings };
}

function merged(before: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result = new Map(Object.entries(isObject(before) ? before : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, merged(result.get(key), value));
  }
  return Object.fromEntries(result);
}

export function placeOf(cameras: readonly unknown[], id: string): number | undefined {
  const place = cameras.findIndex((camera) => idOf(camera) === id);
  return place === -1 ? undefined : place;
}

function idOf(camera: unknown): unknown {
  return isObject(camera) ? camera['id'] : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

export function noCamera(id: string): EditFault {
  return new EditFault('no-camera', `the configuration has no camera "${id}"`);
}
