/** Under systemd: the messages on its notification socket, and the shipped unit. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { newNamespace, remoteServers } from '../../lab/events';
import { openNotifySocket, type NotifySocket } from '../../lab/notify-socket';
import { waitUntil } from '../../lab/process';

const CAMERAS = [{ id: 'clock', test: 'testsrc2', width: 160 }];

describe('a daemon that systemd has started', () => {
  let socket: NotifySocket;
  let daemon: Daemon;
  const count = (assignment: string) => socket.said.filter((said) => said === assignment).length;
  const start = (servers: object, env: Record<string, string> = {}) =>
    startDaemon({
      config: { namespace: newNamespace(), ...servers, cameras: CAMERAS },
      env: { NOTIFY_SOCKET: socket.path, ...env },
    });

  before(async () => {
    socket = await openNotifySocket(newDir());
  });
  after(async () => {
    await socket.close();
  });

  test('is not ready while a server it needs is away, and says so when it stops', async () => {
    daemon = start({ ...remoteServers(), redis: 'redis://127.0.0.1:1' });
    await daemon.said(/rabbitmq is ready/);
    await daemon.stop();
    await waitUntil('STOPPING=1', () => count('STOPPING=1') === 1);
    assert.equal(count('READY=1'), 0);
  });

  test('is ready when frames can be stored and announced, with a status line', async () => {
    daemon = start(remoteServers(), { WATCHDOG_USEC: '1000000' });
    await daemon.said(/^ready/);
    await waitUntil('READY=1', () => count('READY=1') === 1);
    assert.ok(socket.said.includes('STATUS=frames are stored and announced'));
  });

  test('gives a sign of life in every watchdog interval, and none while it is stuck', async () => {
    const before = count('WATCHDOG=1');
    await waitUntil('three signs of life', () => count('WATCHDOG=1') >= before + 3, 2500);
    daemon.signal('SIGSTOP');
    await sleep(500); // messages in transit arrive
    const whileStopped = count('WATCHDOG=1');
    await sleep(1500); // longer than the interval: systemd would kill it now
    assert.equal(count('WATCHDOG=1'), whileStopped);
    daemon.signal('SIGCONT');
    await waitUntil('a sign of life again', () => count('WATCHDOG=1') > whileStopped, 2500);
  });

  test('reports a reload and its end', async () => {
    const ready = count('READY=1');
    daemon.signal('SIGHUP');
    await waitUntil('the end of the reload', () => count('READY=1') === ready + 1);
    assert.ok(socket.said.indexOf('RELOADING=1') < socket.said.lastIndexOf('READY=1'));
    assert.ok(socket.said.some((said) => /^MONOTONIC_USEC=\d+$/.test(said)));
    await daemon.stop();
  });
});

test('the shipped unit is accepted by systemd', (t) => {
  const unit = path.resolve(__dirname, '../../systemd/vigil.service');
  const { status, stderr, error } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
    encoding: 'utf8',
  });
  if (error !== undefined) {
    t.skip('no systemd-analyze here');
    return;
  }
  // The folder and the user of an installation do not exist here.
  const complaints = stderr
    .split('\n')
    .filter((line) => line.includes('vigil') && !/is not executable/.test(line));
  assert.deepEqual(complaints, [], stderr);
  assert.ok(status !== null);
});

test('the unit allows for the deadlines of the daemon, and does not restart it after faults that a restart cannot fix', () => {
  const unit = readFileSync(path.resolve(__dirname, '../../systemd/vigil.service'), 'utf8');
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1];
  assert.equal(value('RestartPreventExitStatus'), '2 78');
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- PM2 loads it the same way
  const { apps } = require('../../ecosystem.config.cjs') as { apps: [{ kill_timeout: number }] };
  assert.ok(Number(value('TimeoutStopSec')) * 1000 >= apps[0].kill_timeout);
});

test('the shipped unit leaves the frames in /dev/shm alone when the daemon stops', () => {
  const unit = readFileSync(path.resolve(__dirname, '../../systemd/vigil.service'), 'utf8');
  assert.deepEqual(unit.match(/^RemoveIPC=.*$/gm), ['RemoveIPC=no']);
  // Each would give the daemon a /dev/shm of its own, which is deleted with it.
  assert.doesNotMatch(unit, /^(PrivateIPC=(?!no)|TemporaryFileSystem=.*\/dev|MountAPIVFS=)/m);
});
