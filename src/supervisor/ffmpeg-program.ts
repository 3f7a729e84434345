/** Which ffmpeg a feed is read with. */
import { spawnSync } from 'node:child_process';
import { isIP } from 'node:net';
import path from 'node:path';
import type { CameraSource } from '../config/topology';
import { hostOf } from '../url/url';
import { isLimit } from '../os/child-process';
import { findProgram, isExecutable } from '../os/orphans';

/** Limit for looking up a name that needs no network, milliseconds. */
const LOOK_UP_MS = 5000;

/**
 * The configured ffmpeg, else the one ffmpeg-static installed, else the one on PATH. A feed with a host name does not use
 * the ffmpeg of ffmpeg-static if that build cannot resolve names.
 * @param source the feed to open; absent if there is none
 */
export function findFfmpeg(
  configured: string | undefined,
  source?: CameraSource,
  bundled = bundledFfmpeg(),
): string | undefined {
  if (configured !== undefined) {
    if (!path.isAbsolute(configured)) return findProgram(configured);
    return isExecutable(configured) ? configured : undefined;
  }
  const fit = bundled !== null && (source === undefined || !hasHostName(source) || resolvesNames(bundled));
  return fit ? bundled : findProgram('ffmpeg');
}

/** True for a feed that is read without ffmpeg. */
export function needsNoFfmpeg({ kind }: CameraSource): boolean {
  return kind === 'still';
}

/** Why {@link findFfmpeg} found none, as a part of a sentence. */
export function whyNoFfmpeg(configured: string | undefined, bundled = bundledFfmpeg()): string {
  if (configured !== undefined) return `"ffmpeg" names ${configured}, which is not a program on this machine`;
  if (findFfmpeg(configured, undefined, bundled) === undefined) return 'feeds are read with it';
  return 'the one of ffmpeg-static cannot look up host names on this machine';
}

/** ffmpeg-static is an optional dependency: if its download failed, the package or the file it names is absent. */
export function bundledFfmpeg(): string | null {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- may be absent
    const found = require('ffmpeg-static') as string | null;
    return found !== null && isExecutable(found) ? found : null;
  } catch {
    return null;
  }
}

function hasHostName(source: CameraSource): boolean {
  if (source.kind !== 'stream') return false;
  return isIP(hostOf(source.url)) === 0;
}

/** Results by program, for the lifetime of this process. */
const resolving = new Map<string, boolean>();

/**
 * A program linked statically with glibc, as those of ffmpeg-static for Linux are, loads the system's own libraries
 * to resolve a name, and crashes if they are of another version and no nscd resolves it instead.
 */
function resolvesNames(ffmpeg: string): boolean {
  const known = resolving.get(ffmpeg);
  if (known !== undefined) return known;
  // Port 1 refuses the connection at once; a program that does listen there is not waited for.
  const args = ['-v', 'error', '-i', 'tcp://localhost:1?timeout=1000000'];
  const { status, stderr, error } = spawnSync(ffmpeg, args, {
    env: {},
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: LOOK_UP_MS,
    killSignal: 'SIGKILL',
  });
  if (error !== undefined && isLimit(error)) return true;
  const resolves = status !== null && !/resolve/i.test(stderr);
  resolving.set(ffmpeg, resolves);
  return resolves;
}
