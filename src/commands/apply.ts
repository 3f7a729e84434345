/** `apply`: replaces the cameras of the running daemon, in its configuration file, by those of another file. */
import path from 'node:path';
import { listOf } from '../config/edit/cameras';
import { ConfigurationError } from '../config/faults';
import { isObject } from '../config/is-object';
import { readJson } from '../config/json-text';
import { readConfiguration } from '../config/load';
import { throwIfNotPermitted } from '../os/access';
import { print } from '../os/output';
import { ExitFault } from '../fault/fault';
import { editText } from './camera';
import { daemonsFile, editThroughDaemon } from './edit';
import { EXIT } from './exit-codes';
import type { Places } from './options';

/** Keys that are applied; the rest of the daemon's file stays. */
const TAKEN = ['cameras', 'cameraDefaults', '$schema'];

/**
 * Prints what was done; resolves with the exit code.
 * @throws ConfigurationError if either file is not valid, or the daemon cannot apply it; ExitFault `no-daemon`
 */
export async function apply({
  config,
  dataDir,
  json,
  planOnly,
}: Places & { readonly json: boolean; readonly planOnly: boolean }): Promise<number> {
  throwIfNotPermitted(config);
  const read = readJson(readConfiguration(config));
  if (!('value' in read) || read.faults.length > 0) throw new ConfigurationError(config, read.faults);
  const file = await daemonsFile(dataDir);
  if (file === undefined)
    throw new ExitFault(
      'no-daemon',
      `no daemon runs on ${dataDir}, so there is no configuration to write to; start it, or name its folder with --data-dir`,
    );
  const { cameras, cameraDefaults, ...rest } = isObject(read.value) ? read.value : {};
  const moved = (value: unknown) => withPaths(value, path.dirname(config), path.dirname(file));
  const edit = {
    kind: 'apply',
    cameras: listOf(cameras).map(moved),
    ...(cameraDefaults === undefined ? {} : { cameraDefaults: moved(cameraDefaults) }),
  } as const;
  const done = await editThroughDaemon(dataDir, config, { edit, planOnly });
  const left = Object.keys(rest).filter((key) => !TAKEN.includes(key));
  await print(
    editText(done, `the cameras of ${config} were applied to ${file}`, { json, planOnly, config: file }),
  );
  if (!json && left.length > 0 && path.resolve(config) !== path.resolve(file))
    await print(`note: only cameras and cameraDefaults are applied; not applied: ${left.join(', ')}\n`);
  return EXIT.clean;
}

/** Relative paths are resolved against the folder of the file that contains them. */
function withPaths(value: unknown, from: string, to: string): unknown {
  if (!isObject(value)) return value;
  const moved = (file: unknown) =>
    typeof file !== 'string' || path.isAbsolute(file) || file.startsWith('${')
      ? file
      : path.relative(to, path.resolve(from, file)) || file;
  const { file, tls } = value;
  return {
    ...value,
    ...(file === undefined ? {} : { file: moved(file) }),
    ...(isObject(tls) && tls['ca'] !== undefined ? { tls: { ...tls, ca: moved(tls['ca']) } } : {}),
  };
}
