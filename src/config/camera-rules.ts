/** Rules for cameras that the schema cannot express: ids, sources and their URLs, and settings a source does not have. Pure but for certificates. */
import { appliesTo, CAMERA_SETTING_NAMES, cameraSetting, type CameraSettingName } from './camera-settings';
import { SOURCE_KEYS, sourceName, STILL_SCHEMES, STREAM_SCHEMES, type SourceKind } from './camera-sources';
import { certificateFaults, tlsFaults } from './camera-tls';
import type { ConfigFault } from './faults';
import type { ActorsFile, CameraEntry } from './schema';
import { schemeOf, urlProblem } from '../url/url';
import type { WellFormed } from './well-formed';

type Entry = WellFormed<CameraEntry>;

/** @param folder that relative paths are resolved against */
export function cameraFaults(
  { cameras = [], cameraDefaults }: WellFormed<ActorsFile>,
  folder: string,
): ConfigFault[] {
  const entries = cameras.flatMap((entry, i) =>
    entry === undefined ? [] : [[entry, `$.cameras[${i}]`] as const],
  );
  return [
    ...repeatedIds(entries),
    ...certificateFaults(cameraDefaults?.tls?.ca, '$.cameraDefaults', folder),
    ...entries.flatMap(([entry, at]) => [
      ...sourceFaults(entry, at),
      ...settingFaults(entry, at),
      ...tlsFaults(entry.tls ?? {}, at, folder, entry.url ?? entry.still),
    ]),
  ];
}

function repeatedIds(entries: readonly (readonly [Entry, string])[]): ConfigFault[] {
  const seen = new Map<string, string>();
  return entries.flatMap(([{ id }, at]) => {
    if (id === undefined) return [];
    const first = seen.get(id);
    if (first === undefined) seen.set(id, at);
    return first === undefined
      ? []
      : [{ path: `${at}.id`, problem: `"${id}" is already the id of ${first}; ids are unique` }];
  });
}

function sourceFaults(entry: Entry, at: string): ConfigFault[] {
  const given = SOURCE_KEYS.filter((key) => key in entry);
  const count: ConfigFault[] =
    given.length === 1
      ? []
      : [
          {
            path: at,
            problem: `expected exactly one of "url", "still", "file" and "test", found ${given.length === 0 ? 'none' : String(given.length)}`,
          },
        ];
  const problems = [
    ['url', streamProblem(entry.url)],
    ['still', stillProblem(entry.still)],
    ['file', fileProblem(entry.file)],
  ] as const;
  return [
    ...count,
    ...problems.flatMap(([key, problem]) =>
      problem === undefined ? [] : [{ path: `${at}.${key}`, problem }],
    ),
  ];
}

function streamProblem(url: string | undefined): string | undefined {
  const problem = url === undefined ? undefined : urlProblem(url, STREAM_SCHEMES);
  if (url === undefined || problem === undefined) return undefined;
  const scheme = schemeOf(url);
  return scheme === undefined || scheme === 'file' ? `${problem}; a local video goes into "file"` : problem;
}

function stillProblem(url: string | undefined): string | undefined {
  const problem = url === undefined ? undefined : urlProblem(url, STILL_SCHEMES);
  if (url === undefined || problem === undefined) return undefined;
  const others: readonly string[] = STREAM_SCHEMES.filter((scheme) => !isOneOf(STILL_SCHEMES, scheme));
  return others.includes(schemeOf(url) ?? '') ? `${problem}; a stream goes into "url"` : problem;
}

function fileProblem(file: string | undefined): string | undefined {
  return file !== undefined && /^[a-z][a-z0-9+.-]*:\/\//i.test(file)
    ? 'expected the path of a local video, found a URL; a stream goes into "url"'
    : undefined;
}

/** The kind of a camera's source; undefined if it is not clear. */
export function sourceKind(entry: Entry): SourceKind | undefined {
  const [key, ...others] = SOURCE_KEYS.filter((name) => name in entry);
  if (key === undefined || others.length > 0) return undefined;
  if (key !== 'url') return key;
  const scheme = schemeOf(entry.url ?? '') ?? '';
  return STREAM_SCHEMES.find((known) => known === scheme);
}

/** A camera's own settings must apply to its source; those of `cameraDefaults` need not apply to every camera. */
function settingFaults(entry: Entry, at: string): ConfigFault[] {
  const kind = sourceKind(entry);
  if (kind === undefined) return [];
  return CAMERA_SETTING_NAMES.flatMap((name) => {
    if (!(name in entry) || appliesTo(name, kind, entry[name])) return [];
    return [{ path: `${at}.${name}`, problem: notApplying(name, kind) }];
  });
}

function notApplying(name: CameraSettingName, kind: SourceKind): string {
  if (!appliesTo(name, kind)) return `does not apply to ${sourceName(kind)}; remove it`;
  const { schema } = cameraSetting(name);
  const possible = 'enum' in schema ? schema.enum.filter((value) => appliesTo(name, kind, value)) : [];
  return `is not possible for ${sourceName(kind)}; expected one of ${possible.map((value) => JSON.stringify(value)).join(', ')}`;
}

function isOneOf(list: readonly string[], text: string): boolean {
  return list.includes(text);
}
