/**
 * Settings that arrive over HTTP must not name secrets or files of this machine that no camera uses yet:
 * whoever writes a camera chooses where its URL is sent, and sees its picture. Pure.
 */
import { isObject } from '../is-object';
import { readJson } from '../json-text';
import { listOf } from './cameras';
import { EditFault } from './fault';

/** @throws EditFault `new-variable`, `local-file` */
export function throwBeyondRemote(before: unknown, text: string): void {
  const json = readJson(text);
  const after = 'value' in json ? json.value : undefined;
  const variable = firstNew(variablesOf(before), variablesOf(after));
  if (variable !== undefined)
    throw new EditFault(
      'new-variable',
      `no camera of the configuration uses the environment variable ${variable} yet; write this reference into the file, or use the command line (camera set)`,
    );
  if (firstNew(filesOf(before), filesOf(after)) !== undefined)
    throw new EditFault(
      'local-file',
      'files of this machine ("file", "tls.ca") that no camera uses yet cannot be named over HTTP; write the path into the file, or use the command line (camera set)',
    );
}

function firstNew(before: readonly string[], after: readonly string[]): string | undefined {
  const known = new Set(before);
  return after.find((name) => !known.has(name));
}

function variablesOf(file: unknown): string[] {
  const { cameras, cameraDefaults } = isObject(file) ? file : {};
  const text = JSON.stringify([cameras, cameraDefaults]).replaceAll('$${', '');
  return [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map(([, name = '']) => name);
}

function filesOf(file: unknown): string[] {
  const { cameras, cameraDefaults } = isObject(file) ? file : {};
  return [...listOf(cameras), cameraDefaults].filter(isObject).flatMap(({ file: video, tls }) => {
    const { ca } = isObject(tls) ? tls : {};
    return [video, ca].filter((path) => typeof path === 'string');
  });
}
