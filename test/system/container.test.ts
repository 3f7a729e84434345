/** The daemon in a container, which has its own process tree: under an init, and as process 1. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { withDeadline } from '../../src/clock/sleep';
import { startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers } from '../../lab/events';
import { isAlive, signalProcess, waitUntil } from '../../lab/process';
import { below, processTable, type ProcessRow } from '../../lab/process-table';

/** The part of Docker that matters here: the command is process 1 and has its own /proc. */
const CONTAINER = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child'];
const CASES = [
  { name: 'under tini', init: ['tini', '--'] },
  { name: 'as process 1', init: [] },
];

for (const { name, init } of CASES)
  describe(name, () => {
    const inside = (daemon: Daemon): ProcessRow[] => below(processTable(), daemon.pid);
    const camera = (daemon: Daemon) =>
      inside(daemon).find(
        ({ state, command }) => state !== 'Z' && /worker(?:\.js)? camera:one/.test(command),
      );

    test('a killed camera comes back, and SIGTERM ends everything with code 0', async () => {
      const namespace = newNamespace();
      const events = await listen(namespace);
      const daemon = startDaemon({
        config: { namespace, ...remoteServers(), cameras: [{ id: 'one', test: 'testsrc2', width: 160 }] },
        under: [...CONTAINER, ...init],
      });
      try {
        await events.gotFrames('one', 1);
        for (const _ of [1, 2]) {
          const killed = camera(daemon)?.pid;
          signalProcess(killed, 'SIGKILL');
          const after = events.frames('one').length;
          await waitUntil(
            'another process of the camera',
            () => ![undefined, killed].includes(camera(daemon)?.pid),
          );
          await events.gotFrames('one', after + 2);
        }
        const zombies = () => inside(daemon).filter(({ state }) => state === 'Z');
        const warned = daemon.log.some(({ code }) => code === 'no-init');
        if (init.length > 0) await waitUntil('no zombie', () => zombies().length === 0, 2000);
        assert.equal(warned, init.length === 0);
        const all = inside(daemon).map(({ pid }) => pid);
        // unshare does not forward SIGTERM, and a container engine sends it to process 1 anyway.
        signalProcess(inside(daemon)[0]?.pid, 'SIGTERM');
        assert.equal(await withDeadline(daemon.exited, 20_000), 0);
        await waitUntil('all have gone', () => !all.some(isAlive), 2000);
      } finally {
        daemon.signal('SIGKILL');
        await daemon.exited;
        await events.close();
        rmSync(daemon.dir, { recursive: true, force: true });
      }
    });
  });
