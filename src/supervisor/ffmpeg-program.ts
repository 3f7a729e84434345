/** Which ffmpeg a feed is read with. */
import { spawnSync } from 'node:child_process';
import { isIP } from 'node:net';
import path from 'node:path';
import type { CameraSource } from '../config/topology';
import { hostOf } from '../url/url';
import { isLimit } from '../os/child-process';
import { findProgram, isExecutable } from '../os/orphans';

/** Milliseconds for the look-up of a name that is in no network's hands. */
const LOOK_UP_MS = 5000;

/**
 * ffmpeg as the operator named it, else the one ffmpeg-static brought, else the one on PATH. That of ffmpeg-static is
 * not for a feed with a host name where it cannot look names up.
 * @param source the feed it is to open; absent where it opens none
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

/** What {@link findFfmpeg} found none for, as a part of a sentence. */
export function whyNoFfmpeg(configured: string | undefined, bundled = bundledFfmpeg()): string {
  if (configured !== undefined) return `"ffmpeg" names ${configured}, which is not a program on this machine`;
  if (findFfmpeg(configured, undefined, bundled) === undefined) return 'feeds are read with it';
  return 'the one of ffmpeg-static cannot look up host names on this machine';
}

/** ffmpeg-static is an optional dependency: where its download failed it is absent, or names a file that is. */
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
 * A program linked with glibc statically, as the ones of ffmpeg-static are for Linux, loads the system's own libraries
 * to look a name up, and crashes where they are of another version and no nscd does it instead.
 */
function resolvesNames(ffmpeg: string): boolean {
  const known = resolving.get(ffmpeg);
  if (known !== undefined) return known;
  // Port 1 refuses at once; one who listens there is not waited for.
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
