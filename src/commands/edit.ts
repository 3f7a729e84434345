/** Edits of the configuration by commands: made by the running daemon, or here if none runs. */
import { realpathSync } from 'node:fs';
import { userInfo } from 'node:os';
import { editFile, type EditRequest } from '../config/edit/file';
import { EditFault } from '../config/edit/fault';
import { ConfigurationError } from '../config/faults';
import { askDaemon } from '../control/client';
import type { Answered, DaemonStatus, EditAnswer } from '../control/protocol';
import { ExitFault, type ExitFaultCode } from '../fault/fault';
import type { OperatorEdit } from '../supervisor/operations';
import type { Plan } from '../supervisor/plan';
import type { Places } from './options';

export interface CommandEdit {
  readonly etag: string;
  readonly created: boolean;
  /** Undefined if no daemon runs. */
  readonly plan?: Plan;
}

/** @throws ExitFault, ConfigurationError */
export async function editConfiguration(
  { config, dataDir }: Places,
  request: EditRequest,
): Promise<CommandEdit> {
  const file = await daemonsFile(dataDir);
  if (file === undefined) return editAlone(config, request);
  if (realPath(file) !== realPath(config))
    throw new ExitFault(
      'edit-refused',
      `the daemon on ${dataDir} runs by ${file}, not by ${config}; give --config ${file}, or another --data-dir`,
    );
  return editThroughDaemon(dataDir, file, request);
}

/** @throws as {@link editConfiguration}, and `no-daemon` */
export async function editThroughDaemon(
  dataDir: string,
  file: string,
  request: EditRequest,
): Promise<CommandEdit> {
  const edit: OperatorEdit = { ...request, by: byUser() };
  return outcomeOf((await askDaemon(dataDir, '/edit', edit)) as EditAnswer, file);
}

/** The configuration of the daemon on that directory; undefined if none runs. */
export async function daemonsFile(dataDir: string): Promise<string | undefined> {
  try {
    return ((await askDaemon(dataDir, '/status')) as DaemonStatus).configuration.file;
  } catch (error) {
    if (error instanceof ExitFault && error.code === 'no-daemon') return undefined;
    throw error;
  }
}

export function byUser(): string {
  return `${userInfo().username} on the command line`;
}

/** @throws ExitFault, ConfigurationError */
export function outcomeOf<T>(answer: Answered<T>, file: string): T {
  if (answer.kind === 'done') return answer.outcome;
  const { code, message, faults } = answer;
  throw exitFaultOf(file, new EditFault(code as EditFault['code'], message, faults));
}

async function editAlone(config: string, request: EditRequest): Promise<CommandEdit> {
  try {
    const { etag, created } = await editFile(config, process.env, request, () => undefined);
    return { etag, created };
  } catch (error) {
    throw error instanceof EditFault ? exitFaultOf(config, error) : error;
  }
}

/** Faults of the file are listed like those of an edit made by hand. */
function exitFaultOf(file: string, { code, message, faults }: EditFault): Error {
  if (code === 'invalid-settings') return new ConfigurationError(file, faults);
  if (code === 'invalid-configuration' && faults.length > 0) return new ConfigurationError(file, faults);
  return new ExitFault(EXIT_FAULT[code] ?? 'edit-refused', message);
}

const EXIT_FAULT: Readonly<Partial<Record<EditFault['code'], ExitFaultCode>>> = {
  'no-camera': 'no-camera',
  'changed-meanwhile': 'changed-meanwhile',
  busy: 'changed-meanwhile',
  'fleet-away': 'fleet-away',
  'read-only': 'cannot-write',
  'disk-full': 'cannot-write',
  'cannot-write': 'cannot-write',
  'cannot-read': 'no-configuration',
};

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
