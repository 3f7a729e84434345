/** A disk with less free space than it must keep: frames go through memory, where other users have put files first. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { memoryFolderOf } from '../../src/spool/memory-folder';
import { newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { FaultProxy } from '../../lab/fault-proxy';
import { waitUntil } from '../../lab/process';

const NOBODY = 65_534;
/** The capture time that the forged pictures state. */
const FORGED_MS = Date.now() - 60_000;

describe(
  'a daemon whose disk has less room than spool.minFreeBytes',
  { skip: !existsSync('/dev/shm') },
  () => {
    const namespace = newNamespace();
    let events: Listener;
    let daemon: Daemon;
    let redis: FaultProxy;
    let foreign: string;
    const announced = () => events.frames('gate').map(({ capturedAt }) => capturedAt);
    const folders = () =>
      readdirSync('/dev/shm')
        .filter((name) => name.startsWith(path.basename(foreign)))
        .sort();

    before(async () => {
      const dir = newDir();
      mkdirSync(path.join(dir, 'data', 'spool'), { recursive: true, mode: 0o700 });
      // As on a full disk: the daemon cannot write its first file.
      mkdirSync(path.join(dir, 'data', '.endpoints.json.tmp'));
      foreign = memoryFolderOf(path.join(dir, 'data', 'spool')) ?? '';
      mkdirSync(foreign);
      const forged = (number: number) =>
        path.join(foreign, `gate.${FORGED_MS + number}-1700000000-64x36-4-healthy99.jpg`);
      writeFileSync(forged(0), 'jpeg');
      symlinkSync(path.join(dir, 'actors.json'), forged(1));
      for (const number of [2, 3, 4, 5, 6]) execFileSync('mkfifo', [forged(number)]);
      chmodSync(foreign, 0o777);
      if (process.geteuid?.() === 0) chownSync(foreign, NOBODY, NOBODY);

      events = await listen(namespace);
      const { redis: url, rabbitmq } = remoteServers();
      redis = await FaultProxy.start(Number(new URL(url).port));
      const through = new URL(url);
      through.port = String(redis.port);
      daemon = startDaemon({
        dir,
        config: {
          ...{ namespace, redis: through.href, rabbitmq },
          spool: { minFreeBytes: Number.MAX_SAFE_INTEGER },
          cameras: [{ id: 'gate', test: 'testsrc2', width: 64 }],
        },
      });
      await daemon.said(/^ready/);
    });
    after(async () => {
      await events.close();
      await redis.stop();
      rmSync(foreign, { recursive: true });
    });

    test('starts even if none of its small files can be written', async () => {
      const { message } = await daemon.said(/clients that read it may not find the servers/);
      assert.match(message, /endpoints\.json cannot be written \(EISDIR\)/);
    });

    test('delivers through a folder of its own in memory, and reports the foreign ones that it ignores', async () => {
      await events.gotFrames('gate', 3);
      assert.deepEqual(
        announced().filter((capturedAt) => capturedAt < FORGED_MS + 1000),
        [],
      );
      await daemon.said(/buffering in memory, 64 MiB at most/);
      const { message } = await daemon.said(/it is ignored, and another folder is used; remove it/);
      assert.match(message, /vigil-\d+-[0-9a-f]{16} (belongs to user 65534|is open to other users)/);
      const [, own = ''] = folders();
      assert.match(own, /\.[A-Za-z0-9]{6}$/);
    });

    test('loses nothing while Redis is away: dropping waiting frames would not free space', async () => {
      const files = () => readdirSync(path.join('/dev/shm', folders()[1] ?? '')).length;
      redis.network = { kind: 'black-hole' };
      await waitUntil('frames wait in memory', () => files() >= 4, 20_000);
      redis.network = { kind: 'sound' };
      const [first = 0] = events.frames('gate').map(({ sequence }) => sequence);
      await events.gotEverySecond('gate', announced().length + 5, { afterSequence: first });
      assert.deepEqual(
        daemon.log.filter(({ message }) => /dropped/.test(message)),
        [],
      );
      assert.deepEqual(
        events.gaps('gate').filter(({ reason }) => reason.startsWith('spool')),
        [],
      );
    });

    test('removes its own files from memory when it stops, and leaves foreign ones alone', async () => {
      await daemon.stop();
      assert.deepEqual(folders(), [path.basename(foreign)]);
      assert.equal(readdirSync(foreign).length, 7);
    });
  },
);
