/** Edits actors.json: all changes by API and commands pass through here and are checked like an edit made by hand. */
import { createHash } from 'node:crypto';
import { ConfigurationError, type ConfigFault } from '../faults';
import { isObject } from '../is-object';
import { readJson } from '../json-text';
import { parseTopology, unreadable } from '../load';
import type { Topology } from '../topology';
import { editedText, listOf, noCamera, placeOf, type Edit } from './cameras';
import { EditFault } from './fault';
import { shownSettings, type ShownSettings } from './hidden';
import { throwBeyondRemote } from './remote';
import { NoSuchPlace } from './text';
import { fileStore, type Store } from './store';
import { changedMeanwhile } from './write';

/** Preconditions of an edit, as in RFC 9110, section 13. */
export interface Precondition {
  /** The file has one of these etags; `*`: the camera exists. */
  readonly ifMatch?: readonly string[] | undefined;
  /** The camera does not exist yet. */
  readonly ifAbsent?: boolean | undefined;
}

export interface EditRequest extends Precondition {
  readonly edit: Edit;
  /** Only return what the edit would change. */
  readonly planOnly?: boolean | undefined;
  /** From a client that cannot read this machine's files and environment: see remote.ts. */
  readonly isRemote?: boolean | undefined;
}

/** A file that was read. */
interface Content {
  readonly bytes: Buffer;
  readonly text: string;
  /** The parsed content; undefined if it is not JSON. */
  readonly value: unknown;
}

export interface Edited<P> {
  /** ETag of the file as it is now; unchanged if only the plan was requested. */
  readonly etag: string;
  /** The edit added the camera. */
  readonly created: boolean;
  /** The text that was written. */
  readonly text: string;
  readonly plan: P;
}

/** A strong validator of the file's bytes. */
export function etagOf(bytes: Buffer): string {
  return `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`;
}

/**
 * @param planOf computes what the edited file would change; throws ConfigurationError if it cannot be applied
 * @param store where the text is kept, instead of in the file itself
 * @throws EditFault
 */
export async function editFile<P>(
  file: string,
  environment: NodeJS.ProcessEnv,
  request: EditRequest,
  planOf: (wanted: Topology) => P,
  store = fileStore(file),
): Promise<Edited<P>> {
  const { edit } = request;
  const before = await readContent(file, store);
  const present = edit.kind === 'apply' ? undefined : placeOf(camerasOf(before.value), edit.camera);
  throwIfUnmet(file, before, request, present !== undefined);
  const text = textAfter(file, before, edit);
  if (request.isRemote === true) throwBeyondRemote(before.value, text);
  const plan = checked(file, before, text, environment, planOf);
  const after = Buffer.from(text);
  const created = edit.kind === 'put' && present === undefined;
  if (request.planOnly === true) return { etag: etagOf(before.bytes), created, text, plan };
  if (!after.equals(before.bytes)) await store.replace(before.bytes, after);
  return { etag: etagOf(after), created, text, plan };
}

/**
 * A camera's settings as they may be shown, and the validator of the file.
 * @throws EditFault `no-camera`, `invalid-configuration`, `cannot-read`
 */
export async function readCamera(
  file: string,
  camera: string,
  store = fileStore(file),
): Promise<ShownSettings & { readonly etag: string }> {
  const { cameras, etag } = await readCameras(file, store);
  const settings = cameras.find(({ settings: { id } }) => id === camera);
  if (settings === undefined) throw noCamera(camera);
  return { ...settings, etag };
}

/** The same for all cameras, in their order. */
export async function readCameras(
  file: string,
  store = fileStore(file),
): Promise<{ readonly cameras: readonly ShownSettings[]; readonly etag: string }> {
  const { bytes, value } = await readContent(file, store);
  const cameras = camerasOf(value)
    .filter(isObject)
    .map((settings) => shownSettings(settings));
  return { cameras, etag: etagOf(bytes) };
}

async function readContent(file: string, store: Store): Promise<Content> {
  const bytes = await store.read().catch((error: unknown) => {
    const fault = error as NodeJS.ErrnoException;
    const { problem } = unreadable(fault);
    const why = fault.code === 'EISDIR' ? 'is a folder' : problem;
    throw new EditFault('cannot-read', `${file} ${why}`, [], { cause: error });
  });
  const text = bytes.toString();
  if (!Buffer.from(text).equals(bytes))
    throw new EditFault('invalid-configuration', `${file} is not UTF-8 text; correct it first`);
  const json = readJson(text);
  if (!('value' in json)) throw broken(file, json.faults);
  return { bytes, text, value: json.value };
}

function camerasOf(value: unknown): readonly unknown[] {
  return isObject(value) ? listOf(value['cameras']) : [];
}

function throwIfUnmet(
  file: string,
  { bytes }: Content,
  { edit, ifMatch, ifAbsent }: EditRequest,
  isPresent: boolean,
): void {
  const camera = edit.kind === 'apply' ? '' : edit.camera;
  if (ifAbsent === true && isPresent)
    throw new EditFault('camera-exists', `there is a camera "${camera}" already; nothing was changed`);
  if (ifMatch === undefined) return;
  if (ifMatch.includes('*') && edit.kind === 'put' && !isPresent)
    throw new EditFault(
      'changed-meanwhile',
      `there is no camera "${camera}" to replace; nothing was changed`,
    );
  if (!ifMatch.includes('*') && !ifMatch.includes(etagOf(bytes))) throw changedMeanwhile(file);
}

function textAfter(file: string, { text, value }: Content, edit: Edit): string {
  try {
    return editedText(text, value, edit);
  } catch (error) {
    if (!(error instanceof NoSuchPlace)) throw error;
    const fault = { path: '$.cameras', problem: 'is not a list of cameras' };
    throw broken(file, [fault]);
  }
}

/** Checks the whole file with the edit; faults that it had before are not blamed on the edit. */
function checked<P>(
  file: string,
  before: Content,
  text: string,
  environment: NodeJS.ProcessEnv,
  planOf: (wanted: Topology) => P,
): P {
  try {
    return planOf(parseTopology(text, file, environment));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { faults, refusal } = error;
    if (refusal === 'not-applied')
      throw new EditFault('not-applied', `${sentenceOf(faults)}; nothing was changed`, faults, {
        cause: error,
      });
    const old = new Set(faultsOf(file, before.text, environment).map(({ path, problem }) => path + problem));
    const news = faults.filter(({ path, problem }) => !old.has(path + problem));
    if (news.length === 0) throw broken(file, faults);
    throw new EditFault('invalid-settings', `${sentenceOf(news)}; nothing was changed`, news, {
      cause: error,
    });
  }
}

function faultsOf(file: string, text: string, environment: NodeJS.ProcessEnv): readonly ConfigFault[] {
  try {
    parseTopology(text, file, environment);
    return [];
  } catch (error) {
    return error instanceof ConfigurationError ? error.faults : [];
  }
}

function broken(file: string, faults: readonly ConfigFault[]): EditFault {
  return new EditFault(
    'invalid-configuration',
    `${file} is not valid as it is (${sentenceOf(faults)}); correct it first: nothing was changed`,
    faults,
  );
}

/** The first fault, and the number of others. */
function sentenceOf(faults: readonly ConfigFault[]): string {
  const [first, ...others] = faults;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `${first?.path ?? '$'}: ${first?.problem ?? 'is not valid'}${more}`;
}
