/** Resolves the settings of a camera, and those of all cameras, to what its actor is started with. Every value has been checked. Pure. */
import path from 'node:path';
import { appliesTo, CAMERA_SETTING_NAMES, cameraSetting, type CameraSettingName } from './camera-settings';
import type { SourceKind } from './camera-sources';
import { sourceKind } from './camera-rules';
import { resolveTls } from './camera-tls';
import { cameraChildSpec } from './children';
import type { ActorsFile, CameraEntry } from './schema';
import type { CameraSource, CameraSpec, SupervisedCamera } from './topology';
import { hasCredentials, withCredentials } from '../url/url';

type Defaults = ActorsFile['cameraDefaults'];
type Settings = Pick<Defaults, CameraSettingName>;

export function resolveCamera(
  entry: CameraEntry,
  { cameraDefaults, actors }: Pick<ActorsFile, 'cameraDefaults' | 'actors'>,
  folder: string,
): SupervisedCamera {
  const kind = sourceKind(entry);
  if (kind === undefined) throw new Error(`camera ${entry.id} has no source`);
  const settings = settingsOf(entry, cameraDefaults, kind);
  return {
    ...sameSettings(settings),
    id: entry.id,
    source: resolveSource(entry, settings, cameraDefaults, folder),
    periodMs: 1000 / settings.rate,
    deinterlace: settings.deinterlace === 'auto',
    child: cameraChildSpec(actors, entry),
  };
}

/** The camera's own, else those of `cameraDefaults` that its source has, else the defaults. */
function settingsOf(entry: CameraEntry, defaults: Defaults, kind: SourceKind): Settings {
  const values = CAMERA_SETTING_NAMES.map((name) => {
    const shared = appliesTo(name, kind, defaults[name]) ? defaults[name] : cameraSetting(name).default;
    return [name, entry[name] ?? shared] as const;
  });
  return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as Settings;
}

function sameSettings(settings: Settings): Omit<CameraSpec, 'id' | 'source' | 'periodMs' | 'deinterlace'> {
  const same = Object.entries(settings).filter(([name, value]) => {
    const { resolved, absent } = cameraSetting(name as CameraSettingName);
    return resolved === 'same' && value !== absent;
  });
  return Object.fromEntries(same) as unknown as CameraSpec;
}

function resolveSource(
  entry: CameraEntry,
  settings: Settings,
  defaults: Defaults,
  folder: string,
): CameraSource {
  const { url, still, file, test } = entry;
  if (test !== undefined) return { kind: 'test', pattern: test };
  if (file !== undefined) return { kind: 'file', path: path.resolve(folder, file) };
  const tls = resolveTls(entry.tls ?? {}, defaults.tls ?? {}, folder);
  const trust = {
    ...(settings.redirects === 'any-host' ? ({ anyHost: true } as const) : {}),
    ...(tls === undefined ? {} : { tls }),
  };
  const address = addressOf(url ?? still ?? '', entry, settings);
  if (url === undefined) return { kind: 'still', url: address, ...trust };
  return { ...streamSource(address, settings.transport), ...trust };
}

/** Credentials in a URL, or beside it, are the camera's own; those of `cameraDefaults` apply to the others. */
function addressOf(url: string, entry: CameraEntry, { username, password }: Settings): string {
  const isOwn = entry.username !== undefined || entry.password !== undefined;
  if (!isOwn && hasCredentials(url)) return withCredentials(url);
  // Both empty: the camera is read without credentials.
  if (username === '' && password === '') return withCredentials(url);
  return withCredentials(url, username, password);
}

/** Only RTSP has more than one transport, and only without TLS: ffmpeg keeps it inside the encrypted connection. */
function streamSource(
  url: string,
  transport: Settings['transport'],
): CameraSource & { readonly kind: 'stream' } {
  if (transport !== 'auto') return { kind: 'stream', url, transport };
  return url.startsWith('rtsp:')
    ? { kind: 'stream', url, transport: 'udp', orTcp: true }
    : { kind: 'stream', url, transport: 'tcp' };
}
