/** Unix domain sockets in folders whose path may be longer than a socket's may be. */
import { openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';

/** Bytes of a socket's path: 108 with the end mark on Linux, 104 elsewhere (unix(7)). */
const MAX_PATH_BYTES = 100;

/** The result of `use` with a path that names the socket `name` in `dir` and is short enough. Rejects as `use` does. */
export async function withSocketPath<T>(
  dir: string,
  name: string,
  use: (socketPath: string) => Promise<T>,
): Promise<T> {
  const plain = path.join(dir, name);
  if (Buffer.byteLength(plain) <= MAX_PATH_BYTES) return use(plain);
  const folder = await open(dir);
  try {
    return await use(`/proc/self/fd/${folder.fd}/${name}`);
  } finally {
    await folder.close();
  }
}

/** Descriptors of folders that are kept open, by path. */
const kept = new Map<string, number>();

/** The same for a client that connects repeatedly: a folder with a long path stays open while this process runs. */
export function lastingSocketPath(dir: string, name: string): string {
  const plain = path.join(dir, name);
  if (Buffer.byteLength(plain) <= MAX_PATH_BYTES) return plain;
  try {
    const fd = kept.get(dir) ?? openSync(dir, 'r');
    kept.set(dir, fd);
    return `/proc/self/fd/${fd}/${name}`;
  } catch {
    // The connection itself reports the reason.
    return plain;
  }
}
