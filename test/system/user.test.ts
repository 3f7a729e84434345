/** `"user"`: a daemon started by root drops its privileges, and continues with the data it had as root. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { descendants, MAIN, newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers } from '../../lab/events';
import { waitUntil } from '../../lab/process';

const NOBODY = 65_534;
/** Whether other users may read the program; a clone in /root, for example, is for root alone. */
const reach = spawnSync(process.execPath, ['-e', `fs.accessSync(${JSON.stringify(MAIN)})`], {
  ...(process.geteuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
  cwd: '/',
  stdio: 'ignore',
});
const skip =
  process.geteuid?.() !== 0
    ? 'only root can become another user'
    : reach.status !== 0 && `user ${NOBODY} may not read ${MAIN}`;

function newOpenDir(): string {
  const dir = newDir();
  chmodSync(dir, 0o755);
  return dir;
}

/** Lines `Name:` of /proc/<pid>/status (proc(5)). */
function statusOf(pid: number, name: string): string {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm').exec(text)?.[1] ?? '';
}

describe('a daemon of root with "user"', { skip }, () => {
  const dir = newOpenDir();
  const namespace = newNamespace();
  const { rabbitmq } = remoteServers();
  const config = {
    namespace,
    redis: 'embedded',
    rabbitmq,
    cameras: [{ id: 'one', test: 'testsrc2', width: 160 }],
  };
  let daemon: Daemon;

  after(async () => {
    await daemon.stop();
  });

  test('delivers what a daemon of root had captured; its processes and files belong to the user, and it cannot regain root', async () => {
    const events = await listen(namespace);
    daemon = startDaemon({ config: { ...config, rabbitmq: 'amqp://127.0.0.1:1' }, dir });
    const one = path.join(daemon.dataDir, 'spool', 'one');
    const spooled = () => (existsSync(one) ? readdirSync(one).filter((name) => /^\d/.test(name)) : []);
    await waitUntil('frames wait', () => spooled().length >= 2, 60_000);
    daemon.signal('SIGTERM');
    assert.equal(await daemon.exited, 0);
    const [first = ''] = spooled().sort();
    daemon = startDaemon({ config: { ...config, user: 'nobody' }, dir });
    await daemon.said(/^ready/, 60_000);
    await events.gotFrames('one', 3);
    const before = Number(first.split('-')[0]);
    await waitUntil('the oldest is announced', () =>
      events.frames('one').some(({ capturedAt }) => capturedAt === before),
    );
    await events.close();
    const all = [daemon.pid, ...descendants(daemon.pid)];
    assert.ok(all.length >= 5, 'daemon, redis, store, notifier, camera, its ffmpeg');
    for (const pid of all) {
      const ids = Array<string>(4).fill(String(NOBODY)).join('\t');
      assert.deepEqual([statusOf(pid, 'Uid'), statusOf(pid, 'Gid')], [ids, ids]);
      assert.equal(statusOf(pid, 'CapEff'), '0000000000000000');
      assert.equal(statusOf(pid, 'Groups'), String(NOBODY));
    }
    for (const file of ['', ...(readdirSync(daemon.dataDir, { recursive: true }) as string[])])
      assert.equal(lstatSync(path.join(daemon.dataDir, file)).uid, NOBODY, file);
    assert.doesNotMatch(daemon.output(), /the daemon runs as root/);
  });

  test('applies edits, except those of "user"', async () => {
    const more = { id: 'two', test: 'testsrc2', width: 160 };
    daemon.edit({ ...config, user: 'nobody', cameras: [...config.cameras, more] });
    await daemon.actorPid('camera:two');
    daemon.edit(config);
    await daemon.said(/\$\.user: a daemon cannot become another user while it runs/);
  });
});

describe('"user" is refused with code 78 and one sentence', { skip }, () => {
  const dir = newOpenDir();
  const file = path.join(dir, 'actors.json');
  after(() => rmSync(dir, { recursive: true, force: true }));

  const cases: readonly [string, { user: string; as?: number; mode?: number; dataDir?: string }, RegExp][] = [
    ['where the machine has no such user', { user: 'no-such-user' }, /has no user "no-such-user"; create it/],
    [
      'where the daemon belongs to another user',
      { user: 'daemon', as: NOBODY },
      /only a daemon that root starts/,
    ],
    [
      'where that user may not read the configuration',
      { user: 'nobody', mode: 0o600 },
      /may not read .*actors\.json.*run chown nobody/,
    ],
    [
      'where that user cannot reach the data directory',
      { user: 'nobody', dataDir: path.join(dir, 'closed', 'data') },
      /may not write to the data directory/,
    ],
  ];
  for (const [when, { user, as, mode = 0o644, dataDir = path.join(dir, 'data') }, expected] of cases)
    test(when, () => {
      writeFileSync(file, JSON.stringify({ user, cameras: [] }));
      chmodSync(file, mode);
      mkdirSync(path.join(dir, 'closed'), { recursive: true, mode: 0o700 });
      const args = [MAIN, '--config', file, '--data-dir', dataDir];
      const { status, stderr } = spawnSync(process.execPath, args, {
        encoding: 'utf8',
        timeout: 30_000,
        cwd: '/',
        ...(as === undefined ? {} : { uid: as, gid: as }),
      });
      assert.equal(status, 78, stderr);
      assert.match(stderr, /^vigil: .*actors\.json is not valid.*\n {2}\$\.user: .*\n$/);
      assert.match(stderr, expected);
    });

  test('but is accepted if the daemon already runs as that user', async () => {
    const own = newDir();
    chownSync(own, NOBODY, NOBODY);
    const asNobody = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups', '--'];
    const daemon = startDaemon({
      config: { user: 'nobody', namespace: newNamespace(), ...remoteServers(), cameras: [] },
      dir: own,
      under: ['setpriv', ...asNobody],
    });
    await daemon.said(/^ready/, 60_000);
    assert.equal(await daemon.stop(), 0);
  });
});
