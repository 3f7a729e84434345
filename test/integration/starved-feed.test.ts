/** A feed whose own ffmpeg gets no processor: the camera is not blamed for it. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { findProgram } from '../../src/os/orphans';
import { clip } from '../../lab/feeds/clips';
import { spawnOwned, waitUntil } from '../../lab/process';
import { watchFeed } from '../../lab/feeds/watch-feed';

const CONNECT_MS = 1000;
/** Beside three of these loops, ffmpeg gets a 200th of the processor they share. */
const SPIN = ['-c', '0', 'sh', '-c', 'while :; do :; done'];

async function starvedFfmpeg(dir: string): Promise<string> {
  const file = path.join(dir, 'ffmpeg');
  await writeFile(file, `#!/bin/sh\nexec taskset -c 0 nice -n 19 ${findProgram('ffmpeg') ?? ''} "$@"\n`);
  await chmod(file, 0o755);
  return file;
}

describe('a feed whose ffmpeg waits for a processor', () => {
  it('is opened when it gets one, long after the usual deadline for the camera', async (t) => {
    const dir = await mkdtemp(path.join(tmpdir(), 'vigil-starved-'));
    t.after(() => rm(dir, { recursive: true }));
    const loops = await Promise.all([1, 2, 3].map(() => spawnOwned('taskset', SPIN)));
    t.after(() => loops.forEach((loop) => loop.signal('SIGKILL')));
    const source = { kind: 'file', path: await clip() } as const;
    const limits = { connectMs: CONNECT_MS, stallMs: CONNECT_MS };
    const feed = watchFeed(source, limits, { ffmpeg: await starvedFfmpeg(dir) });
    t.after(() => feed.stop());
    await delay(4 * CONNECT_MS);
    assert.deepEqual(feed.faults, []);
    for (const loop of loops) loop.signal('SIGKILL');
    await waitUntil('there is a picture', () => feed.pictures.length > 0);
    assert.deepEqual(feed.faults, []);
  });
});
