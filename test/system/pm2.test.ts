/** Under PM2, by the shipped ecosystem.config.cjs. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { newDir } from '../../lab/daemon';
import { listen, newNamespace, remoteServers } from '../../lab/events';
import { Pm2 } from '../../lab/pm2';
import { waitUntil } from '../../lab/process';
import { below, processTable } from '../../lab/process-table';

const treeOf = (pid: number) => [pid, ...below(processTable(), pid).map((row) => row.pid)];
const haveGone = (pids: readonly number[]) => () =>
  !processTable().some(({ pid, state }) => pids.includes(pid) && state !== 'Z');

describe('a daemon that PM2 has started', () => {
  test('is online when frames flow, comes back after SIGKILL, and ends with all its children when PM2 itself is killed', async () => {
    const dir = newDir();
    const namespace = newNamespace();
    const events = await listen(namespace);
    const cameras = [{ id: 'one', test: 'testsrc2', width: 160 }];
    writeFileSync(path.join(dir, 'actors.json'), JSON.stringify({ namespace, ...remoteServers(), cameras }));
    const pm2 = await Pm2.start({ dir });
    try {
      await waitUntil('PM2 says online', async () => (await pm2.app()).status === 'online');
      await events.gotFrames('one', 1);
      const first = pm2.daemonPid() ?? 0;
      process.kill(first, 'SIGKILL');
      await waitUntil('another daemon', () => ![undefined, first].includes(pm2.daemonPid()));
      await events.gotFrames('one', events.frames('one').length + 2);
      const tree = treeOf(pm2.daemonPid() ?? 0);
      assert.ok(tree.length >= 5, `daemon, store, notifier, camera and ffmpeg: ${String(tree)}`);
      await pm2.crash();
      await waitUntil('the whole tree has gone', haveGone(tree), 15_000);
    } finally {
      await pm2.kill().catch(() => undefined);
      await events.close();
    }
  });

  test('stays stopped when the configuration is not valid', async () => {
    const dir = newDir();
    writeFileSync(path.join(dir, 'actors.json'), '{"cameras": 1}');
    // Exits as early, but with a code that a restart may help: the same settings restart it repeatedly.
    const script = path.join(dir, 'ends.js');
    writeFileSync(script, 'process.exit(70)');
    const pm2 = await Pm2.start({ dir, beside: { name: 'ends', script } });
    try {
      await waitUntil('the daemon has ended', () => pm2.daemonPid() === undefined);
      const { restarts } = await pm2.app('ends');
      await waitUntil(
        'the other was restarted',
        async () => (await pm2.app('ends')).restarts >= restarts + 4,
      );
      // PM2 7 shows the daemon as waiting, because of the back-off, and does not restart it.
      const { status, restarts: ofDaemon } = await pm2.app();
      assert.ok(['stopped', 'waiting restart'].includes(status), status);
      assert.equal(ofDaemon, 0);
      assert.equal(pm2.daemonPid(), undefined);
    } finally {
      await pm2.kill();
    }
  });
});
