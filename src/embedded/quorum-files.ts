/**
 * The files in which RabbitMQ keeps, for each quorum queue, the absolute path of the queue's folder (seen in
 * 3.10, Ra 2.2). In a data directory that was copied, moved or restored, that path leads elsewhere: the queue
 * stays without a process, or takes the original's messages. So it is rewritten before every start of the
 * broker.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { replaceFileSync } from '../os/replace-file';

/** `data_dir => "..."` or `wal_data_dir => ...`, as Erlang prints a string, the characters of one, or a binary. */
const PLACE =
  /\b((?:wal_)?data_dir\s*=>\s*)("(?:[^"\\]|\\[^])*"|\[[\d,\s]*\]|<<(?:"(?:[^"\\]|\\[^])*"[^>]*|[\d,\s]*)>>)/g;

/**
 * The text of a queue's `config` with its folder at `dir`. Pure.
 * @param text read as Latin-1: Erlang writes some paths in bytes that are not UTF-8
 */
export function placedAt(dir: string, text: string): string {
  return text.replace(PLACE, (_, name: string, place: string) => `${name}${erlangPath(dir, place)}`);
}

/** Written by its character codes, which need no quoting in any encoding; a binary holds UTF-8. */
function erlangPath(dir: string, like: string): string {
  return like.startsWith('<<')
    ? `<<${[...Buffer.from(dir)].join(',')}>>`
    : `[${Array.from(dir, (character) => character.codePointAt(0)).join(',')}]`;
}

/**
 * Writes the current folder of every quorum queue of a node into its file.
 * @param nodeDir the node's data, with a folder for each Raft system of it
 */
export function placeQuorumQueues(nodeDir: string, node: string): void {
  for (const system of foldersIn(nodeDir)) {
    const dir = path.join(nodeDir, system, node);
    for (const queue of foldersIn(dir)) place(dir, path.join(dir, queue, 'config'));
  }
}

function place(dir: string, file: string): void {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch {
    // Not a queue's folder, or that of a queue whose declaration was never finished.
    return;
  }
  const placed = placedAt(dir, text);
  if (placed === text) return;
  replaceFileSync(file, Buffer.from(placed, 'latin1'));
}

function foldersIn(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
