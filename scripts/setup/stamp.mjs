/** A stamp records what a folder was made from. It is removed before the work and written after it, so it is never half true. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** @returns {string | undefined} undefined when there is none */
export function readStamp(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

export function removeStamp(file) {
  rmSync(file, { force: true });
}

/** Whole or not at all, whenever the machine stops. */
export function writeStamp(file, text) {
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}
