/** `camera`: the cameras of the configuration, shown and edited. */
import { text as textOf } from 'node:stream/consumers';
import { readCameras } from '../config/edit/file';
import { EditFault } from '../config/edit/fault';
import type { Edit } from '../config/edit/cameras';
import type { Settings, ShownSettings } from '../config/edit/hidden';
import { isObject } from '../config/is-object';
import { CAMERA_SETTINGS } from '../config/camera-settings';
import { SOURCE_KEYS } from '../config/camera-sources';
import { askDaemon } from '../control/client';
import type { RestartAnswer } from '../control/protocol';
import { ExitFault } from '../fault/fault';
import { throwIfNotPermitted } from '../os/access';
import { print } from '../os/output';
import type { RestartRequest } from '../supervisor/operations';
import { byUser, editConfiguration, outcomeOf, type CommandEdit } from './edit';
import { EXIT } from './exit-codes';
import type { Places } from './options';
import { planText } from './plan';
import { PLAIN, styleOf, type Style } from './style';
import { table } from './table';

export interface CameraOptions extends Places {
  readonly action: 'list' | 'add' | 'set' | 'remove' | 'restart';
  /** Empty for `list`. */
  readonly id: string;
  /** `name=value`. */
  readonly pairs: readonly string[];
  readonly json: boolean;
  readonly planOnly: boolean;
  /** Further settings are read from standard input. */
  readonly stdin: boolean;
  readonly ifMatch: string | undefined;
}

/**
 * Prints what was done; resolves with the exit code.
 * @throws ExitFault, ConfigurationError
 */
export async function camera(options: CameraOptions): Promise<number> {
  const { action, id, config, dataDir, json, planOnly, ifMatch } = options;
  if (action === 'list') return list(config, json);
  if (action === 'restart') {
    const request: RestartRequest = { camera: id, by: byUser() };
    outcomeOf((await askDaemon(dataDir, '/restart', request)) as RestartAnswer, config);
    await print(json ? `${JSON.stringify({ id }, null, 2)}\n` : `camera ${id} is being restarted\n`);
    return EXIT.clean;
  }
  const edit = await editOf(options);
  const done = await editConfiguration(options, {
    edit,
    planOnly,
    ifAbsent: action === 'add',
    ...(ifMatch === undefined ? {} : { ifMatch: [ifMatch] }),
  });
  await print(editText(done, `camera ${id} ${DONE[action]}`, { json, planOnly, config }));
  return EXIT.clean;
}

const DONE = { add: 'added', set: 'changed', remove: 'removed' } as const;

/** What an edit did, for people and programs. */
export function editText(
  { etag, created, plan }: CommandEdit,
  done: string,
  { json, planOnly, config }: { readonly json: boolean; readonly planOnly: boolean; readonly config: string },
): string {
  if (json)
    return `${JSON.stringify({ applied: !planOnly && plan !== undefined, written: !planOnly, created, etag, plan: plan ?? null }, null, 2)}\n`;
  const said = plan === undefined ? [] : [planText(plan, styleOf(process.stdout, process.env))];
  if (planOnly && plan === undefined)
    return `${config} would be valid; what would change is known only while the daemon runs\n`;
  const first = planOnly
    ? []
    : [plan === undefined ? `${done} in ${config}; no daemon runs, it will be used by the next start` : done];
  return `${[...first, ...said].join('\n')}\n`;
}

async function editOf({ action, id: camera, pairs, stdin }: CameraOptions): Promise<Edit> {
  if (action === 'remove') return { kind: 'remove', camera };
  const settings = { ...(stdin ? objectOf(await textOf(process.stdin)) : {}), ...settingsOf(pairs) };
  return { kind: action === 'add' ? 'put' : 'patch', camera, settings };
}

function objectOf(json: string): Settings {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  if (!isObject(value))
    throw new ExitFault('edit-refused', '--stdin expects the settings as a JSON object, such as {"rate": 2}');
  return value;
}

/** Text is used unchanged; other settings are parsed as JSON. `tls.ca=...` is a setting within another. */
function settingsOf(pairs: readonly string[]): Settings {
  const settings: Record<string, unknown> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const [key = '', inner] = pair.slice(0, at).split('.');
    const text = pair.slice(at + 1);
    const value = isText(key) && inner !== 'verify' && text !== 'null' ? text : jsonOr(text);
    settings[key] =
      inner === undefined ? value : { ...(settings[key] as object | undefined), [inner]: value };
  }
  return settings;
}

function isText(name: string): boolean {
  if ((SOURCE_KEYS as readonly string[]).includes(name)) return true;
  const { type } =
    (CAMERA_SETTINGS as Readonly<Record<string, { schema: { type: string } }>>)[name]?.schema ?? {};
  return type === 'string' || type === 'object';
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

async function list(config: string, json: boolean): Promise<number> {
  throwIfNotPermitted(config);
  try {
    const { cameras, etag } = await readCameras(config);
    const text = () => listText(cameras, styleOf(process.stdout, process.env));
    await print(`${json ? JSON.stringify({ etag, cameras }, null, 2) : text()}\n`);
  } catch (error) {
    if (!(error instanceof EditFault)) throw error;
    throw new ExitFault('no-configuration', error.message, { cause: error });
  }
  return EXIT.clean;
}

export function listText(cameras: readonly ShownSettings[], { width }: Style = PLAIN): string {
  if (cameras.length === 0) return 'no cameras; add one with: camera add ID url=rtsp://...';
  const rows = cameras.map(({ settings }) => {
    const { id, enabled, ...others } = settings;
    const source = SOURCE_KEYS.find((key) => key in others) ?? '';
    const rest = Object.entries(others).filter(([key]) => key !== source);
    const pairs = rest.map(
      ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    return [
      String(id),
      enabled === false ? 'disabled' : 'enabled',
      [`${source} ${String(others[source])}`, ...pairs].join(' '),
    ];
  });
  return table([['CAMERA', 'STATE', 'SETTINGS'], ...rows], width).join('\n');
}
