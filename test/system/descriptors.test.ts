/** A daemon with too few file descriptors: it raises its limit if it may, else says so and runs what fits. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { startDaemon } from '../../lab/daemon';
import { newNamespace, remoteServers } from '../../lab/events';
import { run, waitUntil } from '../../lab/process';

const FEW = ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'];
/** Root may raise limits unless it has given up that capability. */
const GIVE_UP = ['setpriv', '--bounding-set=-sys_resource'];
const WITHOUT_RIGHTS = spawnSync('setpriv', [...GIVE_UP.slice(1), 'true']).status === 0 ? GIVE_UP : [];

const cameras = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `c${i}`, test: 'testsrc2', width: 160 }));

describe('a daemon with `ulimit -n 64`', () => {
  test('that cannot raise its limit says what is needed, runs the cameras that fit, and applies edits', async () => {
    const config = { namespace: newNamespace(), http: false, ...remoteServers(), cameras: cameras(24) };
    const daemon = startDaemon({ config, under: [...WITHOUT_RIGHTS, ...FEW] });
    const { message } = await daemon.said(/open files/);
    assert.match(
      message,
      /^24 cameras may need 136 open files and this process may have 64: some may not start; raise the limit to 1024 \(ulimit -n, /,
    );
    await daemon.said(/^camera:c\d+: did not start: too many open files in the daemon; raise its limit/);
    const running = async () =>
      (await daemon.status()).children.filter(
        ({ name, state }) => name.startsWith('camera:') && state === 'running',
      );
    await waitUntil('some cameras run', async () => (await running()).length > 1);
    daemon.edit({ ...config, cameras: cameras(2) });
    await waitUntil('two cameras are left, and run', async () => {
      const { children } = await daemon.status();
      return children.length === 4 && (await running()).length === 2;
    });
    assert.equal(await daemon.stop(), 0);
  });
});

test('a daemon that may raise its limit does so when an edit needs more', async () => {
  const config = { namespace: newNamespace(), ...remoteServers(), cameras: cameras(1) };
  const daemon = startDaemon({ config });
  await daemon.said(/^camera:c0 runs/);
  const [, hard = ''] = limitsOf(daemon.pid);
  // Node has raised the soft limit at its start.
  await run('prlimit', ['--pid', String(daemon.pid), `--nofile=64:${hard}`]);
  assert.deepEqual(limitsOf(daemon.pid), ['64', hard]);
  daemon.edit({ ...config, cameras: cameras(8) });
  await daemon.said(/^the limit of open files was raised to 1024$/);
  await daemon.said(/^camera:c7 runs/);
  assert.deepEqual(limitsOf(daemon.pid), ['1024', hard]);
  assert.equal(await daemon.stop(), 0);
});

/** The soft limit of open files, and the hard one. */
function limitsOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/limits`, 'utf8');
  return /^Max open files\s+(\d+)\s+(\d+)/m.exec(text)?.slice(1) ?? [];
}
