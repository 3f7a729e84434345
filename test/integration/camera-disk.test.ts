/** The camera actor, with small real programs in the place of ffmpeg, on a disk that is slow or takes no pictures. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { MEMORY_BYTES, memoryFolderOf } from '../../src/spool/memory-folder';
import { spoolName } from '../../src/spool/names';
import { waitingIn } from '../../lab/delivery-bench';
import { until } from '../../lab/until';
import { openCamera } from '../../lab/scripted-camera';

describe('a camera', () => {
  it('loses no picture that is still being written when the feed is reopened', async (t) => {
    const bytes = 64 * 1024 * 1024;
    const bench = await openCamera(t, `[ $run -gt 1 ] && exec sleep 60; picture ${bytes}; exit 0`);
    await until(
      'kept or not',
      () => bench.frames().length === 1 || bench.lines.some((line) => /kept/.test(line)),
    );
    assert.deepEqual(
      bench.frames().map((frame) => frame.bytes),
      [bytes],
    );
  });

  const ENDLESS =
    'picture 7; while [ ! -f gone ]; do sleep 0.01; done; while :; do picture 7; sleep 0.02; done';

  it('continues in memory and says so if the disk accepts no pictures', async (t) => {
    const bench = await openCamera(t, ENDLESS);
    const [folder, memory] = foldersOf(bench);
    await until('the first', () => bench.frames().length === 1);
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    await writeFile(path.join(bench.dir, 'gone'), '');
    await until('more', () => bench.frames().length > 3);
    assert.ok(bench.lines.some((line) => /buffering in memory, 64 MiB at most/.test(line)));
    assert.deepEqual(
      bench.gaps().filter(({ reason }) => reason !== 'no-picture'),
      [],
    );
    await rm(folder);
    // Logged ten seconds after the last fault, or a minute if faults came and went, as on a busy machine.
    await until('on disk again', () => bench.lines.some((line) => /kept on disk again/.test(line)), 150_000);
    await bench.stop();
    const waiting = await waitingIn(bench.spool);
    assert.deepEqual(waiting, bench.frames().slice(1));
    await rm(memory, { recursive: true });
  });

  it('merges the periods of pictures it could not keep into few gaps', async (t) => {
    const bench = await openCamera(t, ENDLESS);
    const [folder, memory] = foldersOf(bench);
    await until('the first', () => bench.frames().length === 1);
    const [first] = bench.frames();
    assert.ok(first !== undefined);
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    // An empty file counts with the size in its name.
    const full = spoolName({ ...first, camera: 'other', bytes: MEMORY_BYTES });
    await mkdir(memory, { mode: 0o700 });
    await writeFile(path.join(memory, `other.${full}`), '');
    t.after(() => rm(memory, { recursive: true }));
    await writeFile(path.join(bench.dir, 'gone'), '');
    await until(
      'some are lost',
      () => bench.gaps().filter(({ reason }) => reason !== 'no-picture').length > 1,
    );
    await rm(folder);
    await until('kept again', () => bench.frames().length > 1);
    const [, second] = bench.frames();
    assert.ok(second !== undefined);
    const gaps = bench.gaps().filter(({ lastSequence }) => lastSequence < second.sequence);
    const missed = gaps.reduce((sum, gap) => sum + gap.missed, 0);
    assert.equal(missed, second.sequence - first.sequence - 1, 'every period is a frame or in a gap');
    assert.ok(
      gaps.some((gap) => gap.missed > 1),
      'they are joined',
    );
  });
});

/** The camera's folders on disk, and in memory for when the disk accepts no pictures. */
function foldersOf({ dir }: { dir: string }): [string, string] {
  const spool = path.join(dir, 'spool');
  return [path.join(spool, 'gate'), memoryFolderOf(spool) ?? ''];
}
