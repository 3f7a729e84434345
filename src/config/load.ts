/** actors.json -> {@link Topology}: read, complete, check; every fault is reported at once. */
import path from 'node:path';
import Ajv from 'ajv';
import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { completeTls, type TlsEntry } from './camera-tls';
import { cameraChildSpec, childSpec, deadlineFaults } from './children';
import { defaultQueue } from '../contract/topology';
import { REDIS_SCHEMES } from '../redis/address';
import { excess, placeOf, TOO_LARGE } from './bounds';
import { readBoundedSync } from './content';
import { duplicateKeys } from './duplicate-keys';
import { substituteEnvironment } from './environment';
import { ConfigurationError, faultsOf, jsonPath, type ConfigFault } from './faults';
import { completeManagement } from './management';
import { ActorsFile, STILL_SCHEMES, STREAM_SCHEMES, type CameraEntry, type ServerEntry } from './schema';
import type { CameraSource, ServerSpec, SupervisedCamera, Topology } from './topology';
import { serverPathProblem } from './server-path';
import { urlProblem, withCredentials } from './url';

const ajv = new Ajv({
  ...{ allErrors: true, useDefaults: true, verbose: true, allowUnionTypes: true },
  // The schema is ours: to check it by the schema of schemas, which is compiled first, costs each start 60 ms.
  validateSchema: false,
});
const validate = ajv.compile<ActorsFile>(ActorsFile);

/**
 * Reads a configuration file.
 * @throws ConfigurationError with all faults when it cannot be read, parsed or used.
 */
export function loadTopology(file: string, environment: NodeJS.ProcessEnv): Topology {
  return parseTopology(readConfiguration(file), file, environment);
}

/** The same for text already read; `file` is named in errors, and relative paths start at its folder. */
export function parseTopology(text: string, file: string, environment: NodeJS.ProcessEnv): Topology {
  const tooMuch = excess(text);
  if (tooMuch !== undefined) throw new ConfigurationError(file, [tooMuch]);
  const { value, faults: unset, replaced } = substituteEnvironment(parseJson(text, file), environment);
  // What an unset variable left empty is not reported a second time.
  const reported = new Set(unset.map(({ path: at }) => at));
  const invalid = validate(value) ? [] : faultsOf(validate.errors ?? [], replaced);
  const faults = [
    ...[...unset, ...brokenText(value), ...duplicateKeys(text)],
    ...invalid.filter(({ path: at }) => !reported.has(at)),
  ];
  const meant = meaningOf(value, path.dirname(path.resolve(file)), faults);
  if (meant === undefined || faults.length > 0) throw new ConfigurationError(file, faults);
  return meant;
}

/** @throws ConfigurationError when it cannot be read. */
export function readConfiguration(file: string): string {
  try {
    return readBoundedSync(file);
  } catch (error) {
    throw new ConfigurationError(file, [unreadable(error as NodeJS.ErrnoException)]);
  }
}

/** The fault of a file that could not be read. */
export function unreadable({ code }: NodeJS.ErrnoException): ConfigFault {
  if (code === 'EFBIG') return TOO_LARGE;
  const problem =
    code === 'ENOENT'
      ? 'there is no such file; name the configuration with --config FILE'
      : `cannot be read (${code ?? 'unknown error'}); check its permissions`;
  return { path: '$', problem };
}

function parseJson(text: string, file: string): unknown {
  const json = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(json);
  } catch (error) {
    // V8 names the place only of some faults.
    const faults: ParseError[] = [];
    parse(json, faults, { disallowComments: true });
    const [fault] = faults;
    const place = placeOf(json, fault?.offset ?? 0);
    const name = fault === undefined ? 'SyntaxError' : printParseErrorCode(fault.error);
    const what = name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
    throw new ConfigurationError(file, [{ path: '$', problem: `is not JSON: ${what} at ${place}` }], {
      cause: error,
    });
  }
}

/** Half a surrogate pair cannot be percent-encoded, nor written to a key. */
function brokenText(value: unknown, pointer = ''): ConfigFault[] {
  if (typeof value === 'string')
    return /\p{Surrogate}/u.test(value) ? [{ path: jsonPath(pointer), problem: 'is no Unicode text' }] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => brokenText(item, `${pointer}/${key}`));
}

/** The part of a configuration that a path is in, of those whose meaning is checked one by one. */
const PART = /^\$\.(?:redis|rabbitmq|cameras\[\d+\])(?=[.[]|$)/;

/** Checks what the schema cannot say, in every part the schema accepts; undefined where it accepts too little. */
function meaningOf(value: unknown, folder: string, faults: ConfigFault[]): Topology | undefined {
  const bad = faults.map(({ path: at }) => at);
  const refused = new Set(bad.map((at) => PART.exec(at)?.[0]));
  const accepted = (at: string) => !refused.has(at);
  if (
    bad.includes('$') ||
    bad.includes('$.cameras') ||
    bad.some((at) => /^\$\.(cameraDefaults|actors)/.test(at))
  )
    return undefined;
  const file = value as ActorsFile;
  const server = (entry: ServerEntry, name: 'redis' | 'rabbitmq', schemes: readonly string[]): ServerSpec =>
    accepted(`$.${name}`) ? completeServer(entry, schemes, `$.${name}`, faults) : { kind: 'embedded' };
  const redis = server(file.redis, 'redis', REDIS_SCHEMES);
  const rabbitmq = server(file.rabbitmq, 'rabbitmq', ['amqp', 'amqps']);
  const cameras = file.cameras.flatMap((camera, i) => {
    const at = `$.cameras[${String(i)}]`;
    return accepted(at) ? [{ camera, at }] : [];
  });
  faults.push(...repeatedIds(cameras));
  const specs = cameras.map(({ camera, at }) => completeCamera(camera, file, folder, at, faults));
  if (bad.length > 0) return undefined;
  faults.push(...deadlineFaults(file));
  return {
    namespace: file.namespace,
    logLevel: file.log.level,
    redis,
    rabbitmq,
    ...(file.user === undefined ? {} : { user: file.user }),
    ...(file.ffmpeg === undefined ? {} : { ffmpeg: programPath(file.ffmpeg, folder) }),
    expireMs: file.frames.expireMs,
    durability: file.frames.durability,
    queue: { ...file.queue, name: file.queue.name ?? defaultQueue(file.namespace) },
    spool: file.spool,
    ledger: file.ledger,
    modes: { store: file.actors.store.mode, notifier: file.actors.notifier.mode },
    children: {
      store: childSpec(file.actors.store),
      notifier: childSpec(file.actors.notifier),
      service: childSpec(file.actors.service),
    },
    drainMs: file.actors.store.drainMs,
    supervision: file.supervision,
    cameras: specs.filter((_, i) => cameras[i]?.camera.enabled),
  };
}

/** A bare name is looked for on PATH; anything with a slash is a path beside the file. */
function programPath(program: string, folder: string): string {
  return program.includes('/') ? path.resolve(folder, program) : program;
}

function repeatedIds(cameras: readonly { camera: CameraEntry; at: string }[]): ConfigFault[] {
  const seen = new Map<string, string>();
  return cameras.flatMap(({ camera: { id }, at }) => {
    const first = seen.get(id);
    if (first === undefined) seen.set(id, at);
    return first === undefined
      ? []
      : [{ path: `${at}.id`, problem: `"${id}" is already the id of ${first}; ids are unique` }];
  });
}

function completeServer(
  entry: ServerEntry,
  schemes: readonly string[],
  at: string,
  faults: ConfigFault[],
): ServerSpec {
  if (entry === 'embedded') return { kind: 'embedded' };
  const {
    embedded,
    port,
    maxMemoryBytes,
    url,
    username,
    password,
    managementUrl,
  }: Exclude<ServerEntry, string> = typeof entry === 'string' ? { url: entry } : entry;
  const management = completeManagement(managementUrl, { at, url }, faults);
  if (maxMemoryBytes !== undefined && (at !== '$.redis' || url !== undefined))
    faults.push({ path: `${at}.maxMemoryBytes`, problem: 'belongs to the embedded Redis; remove it' });
  if (embedded === true || url === undefined) {
    if (url !== undefined)
      faults.push({ path: at, problem: 'has both "embedded" and "url"; give one of them' });
    else if (embedded === undefined)
      faults.push({ path: at, problem: 'has neither "embedded": true nor "url"; give one of them' });
    else if (username !== undefined || password !== undefined)
      faults.push({
        path: at,
        problem: 'an embedded server makes its own credentials; remove username and password',
      });
    return {
      kind: 'embedded',
      ...(port === undefined ? {} : { port }),
      ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }),
    };
  }
  if (port !== undefined)
    faults.push({ path: `${at}.port`, problem: 'belongs to an embedded server; put the port into the URL' });
  const problem = urlProblem(url, schemes);
  const wrong = problem === undefined ? serverPathProblem(url) : `${problem}, or "embedded"`;
  if (wrong !== undefined) {
    faults.push({ path: typeof entry === 'string' ? at : `${at}.url`, problem: wrong });
    return { kind: 'embedded' };
  }
  return { kind: 'remote', url: withCredentials(url, username, password), ...management };
}

function completeCamera(
  entry: CameraEntry,
  { cameraDefaults, actors }: Pick<ActorsFile, 'cameraDefaults' | 'actors'>,
  folder: string,
  at: string,
  faults: ConfigFault[],
): SupervisedCamera {
  const settings = { ...cameraDefaults, ...entry };
  const defaultTls = cameraDefaults.tls ?? {};
  return {
    id: entry.id,
    source: completeSource(entry, { ...settings, tls: defaultTls }, folder, at, faults),
    periodMs: 1000 / settings.rate,
    format: settings.format,
    quality: settings.quality,
    ...(settings.width === undefined ? {} : { width: settings.width }),
    sampling: settings.sampling,
    ...(settings.hwaccel === 'none' ? {} : { hwaccel: settings.hwaccel }),
    ...(settings.matrix === 'auto' ? {} : { matrix: settings.matrix }),
    deinterlace: settings.deinterlace === 'auto',
    stallMs: settings.stallMs,
    maxDelayMs: settings.maxDelayMs,
    frozenMs: settings.frozenMs,
    connectMs: settings.connectMs,
    retryMs: settings.retryMs,
    child: cameraChildSpec(actors, entry),
  };
}

function completeSource(
  entry: CameraEntry,
  {
    transport,
    redirects,
    tls: defaults,
  }: Pick<ActorsFile['cameraDefaults'], 'transport' | 'redirects'> & { tls: TlsEntry },
  folder: string,
  at: string,
  faults: ConfigFault[],
): CameraSource {
  const { url, still, file, test, username, password } = entry;
  const given = [url, still, file, test].filter((source) => source !== undefined).length;
  if (given !== 1)
    faults.push({
      path: at,
      problem: `expected exactly one of "url", "still", "file" and "test", found ${given === 0 ? 'none' : String(given)}`,
    });
  if (url === undefined && still === undefined && (username !== undefined || password !== undefined))
    faults.push({ path: at, problem: '"username" and "password" belong to a "url" or "still"; remove them' });
  if (url === undefined && still === undefined && entry.tls !== undefined)
    faults.push({ path: `${at}.tls`, problem: 'belongs to a "url" or "still"; remove it' });
  if (test !== undefined) return { kind: 'test', pattern: test };
  if (file !== undefined) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(file))
      faults.push({
        path: `${at}.file`,
        problem: 'expected the path of a local video, found a URL; a stream goes into "url"',
      });
    return { kind: 'file', path: path.resolve(folder, file) };
  }
  const where = { url: url ?? still ?? '', folder, at };
  const tls = completeTls(entry.tls ?? {}, defaults, where, faults);
  const trust = tls === undefined ? {} : { tls };
  const anyHost = redirects === 'any-host' ? ({ anyHost: true } as const) : {};
  if (url === undefined && still !== undefined) {
    const problem = urlProblem(still, STILL_SCHEMES);
    if (problem === undefined)
      return { kind: 'still', url: withCredentials(still, username, password), ...anyHost, ...trust };
    const stream = /found (?:rtsp|rtmp)/.test(problem) ? '; a stream goes into "url"' : '';
    faults.push({ path: `${at}.still`, problem: problem + stream });
    return { kind: 'still', url: '' };
  }
  const problem = urlProblem(url ?? '', STREAM_SCHEMES);
  if (problem === undefined)
    return {
      ...streamSource(withCredentials(url ?? '', username, password), transport),
      ...anyHost,
      ...trust,
    };
  if (url !== undefined)
    faults.push({
      path: `${at}.url`,
      problem: /found file:|without a scheme/.test(problem)
        ? `${problem}; a local video goes into "file"`
        : problem,
    });
  return { kind: 'stream', url: '', transport: 'tcp' };
}

/** What is not RTSP has one transport, and RTSP over TLS too: ffmpeg keeps it inside the encrypted connection. */
function streamSource(
  url: string,
  transport: 'tcp' | 'udp' | 'auto',
): CameraSource & { readonly kind: 'stream' } {
  if (transport !== 'auto') return { kind: 'stream', url, transport };
  return url.startsWith('rtsp:')
    ? { kind: 'stream', url, transport: 'udp', orTcp: true }
    : { kind: 'stream', url, transport: 'tcp' };
}
