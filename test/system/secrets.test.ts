/** Passwords of cameras and servers, searched for wherever another user, a log reader or a thief of files might look. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Endpoints } from '../../src/config/endpoints-file';
import type { ChildStatus } from '../../src/supervisor/status';
import { descendants, MAIN, newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { clip } from '../../lab/feeds/clips';
import { startRtspServer, type RtspServer } from '../../lab/feeds/rtsp';
import { waitUntil } from '../../lab/process';
import { startRedis, type RedisServers } from '../../lab/redis';
import { ProcessWatch, textOf } from '../../lab/process-watch';

/** The uid of `nobody` on every Linux. */
const NOBODY = '65534';
/** A program that prints which files on its command line it can read, and whether the last, a socket, accepts it. */
const SNOOP = `
  const [socket, ...files] = process.argv.slice(1).reverse();
  const { readFileSync } = require('node:fs');
  const tried = (file) => { try { readFileSync(file); return true; } catch { return false; } };
  const tell = (reached) => console.log(JSON.stringify({ read: files.filter(tried), reached }));
  require('node:net').connect(socket, () => { tell(true); process.exit(); }).on('error', () => tell(false));`;

const HAS_PICTURES = ({ heartbeat }: ChildStatus) => Number(heartbeat?.facts['frames']) > 1;

/** Part of a password that no encoding changes. */
function newNeedle(): string {
  return `hush${randomBytes(8).toString('hex')}`;
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Files that hold one of the texts; files that vanish during the search are skipped. */
function filesWith(dir: string, needles: readonly string[]): string[] {
  return filesBelow(dir).filter((file) => {
    try {
      const text = readFileSync(file, 'latin1');
      return needles.some((needle) => text.includes(needle));
    } catch {
      return false;
    }
  });
}

for (const servers of ['given', 'embedded'] as const)
  describe(`passwords, with ${servers} servers,`, () => {
    const camera = newNeedle();
    const dir = newDir();
    let feed: RtspServer;
    let redis: RedisServers;
    let daemon: Daemon;
    let watch: ProcessWatch;
    let needles: readonly string[] = [camera];
    const namespace = newNamespace();
    let events: Listener | undefined;
    /** Other places for a camera's secret in a URL; no server answers these paths. */
    const elsewhere = (): Record<string, string> => {
      const at = new URL(feed.url('/')).host;
      return {
        query: `rtsp://${at}/none?pwd=${camera}&channel=1`,
        path: `rtsp://${at}/user=viewer&password=${camera}_channel=1`,
        key: `rtmp://${at}/live/${camera}`,
        snapshot: `http://${at}/snap?token=${camera}`,
      };
    };

    before(async () => {
      const mounts = { '/cam': { clip: await clip(), codec: 'h264', fps: 10 } } as const;
      feed = await startRtspServer({ mounts, username: 'viewer', password: `@/${camera}` });
      const own = newNeedle();
      redis = await startRedis([`user vigil on >${own} ~* &* +@all`]);
      const given = {
        redis: redis.servers[0]?.url.replace('://', `://vigil:${own}@`),
        rabbitmq: remoteServers().rabbitmq,
      };
      // The folder around it is open to all, so only the daemon's own permissions protect it.
      chmodSync(dir, 0o755);
      daemon = startDaemon({
        dir,
        env: { DOOR_PASSWORD: `@/${camera}` },
        config: {
          namespace,
          ...(servers === 'given' ? given : {}),
          cameras: [
            { id: 'within', url: feed.url('/cam', true) },
            { id: 'beside', url: feed.url('/cam'), username: 'viewer', password: '${DOOR_PASSWORD}' },
            { id: 'refused', url: feed.url('/cam'), username: 'viewer', password: `${camera}-wrong` },
            ...Object.entries(elsewhere()).map(([id, url]) => ({ id, url })),
          ],
        },
      });
      if (servers === 'given') events = await listen(namespace);
      watch = new ProcessWatch(daemon, () => needles);
      await daemon.said(/^ready/, 120_000);
      const endpoints = JSON.parse(
        readFileSync(path.join(daemon.dataDir, 'endpoints.json'), 'utf8'),
      ) as Endpoints;
      const passwords = [endpoints.redis, endpoints.amqp].map((url) => new URL(url).password);
      assert.ok(passwords.every((password) => password.length > 8));
      needles = [camera, ...passwords];
      for (const id of ['within', 'beside'])
        await daemon.childIs(`camera:${id}`, 'gives pictures', HAS_PICTURES);
      await daemon.said(/refused the user name or password/);
      for (const id of Object.keys(elsewhere()))
        await daemon.childIs(
          `camera:${id}`,
          'tells its fault',
          ({ feed: state }) => state?.fault !== undefined,
        );
      // Leaves a crash report, and starts the camera's processes again now that all the secrets are known.
      process.kill(await daemon.actorPid('camera:within'), 'SIGKILL');
      await waitUntil('the crash is kept', () =>
        filesBelow(daemon.dataDir).some((file) => file.includes('black-box')),
      );
      await daemon.childIs(
        'camera:within',
        'is back',
        (child) => child.restarts > 0 && child.state === 'running' && HAS_PICTURES(child),
      );
    });
    after(async () => {
      watch.stop();
      await events?.close();
      await daemon.stop();
      await feed.stop();
      await redis.stop();
    });

    test('are in no command line and in no environment below the daemon', () => {
      const programs = [
        /worker\S* store/,
        /worker\S* notifier/,
        /worker\S* camera:within/,
        /ffmpeg -nostats/,
      ];
      const embedded = servers === 'embedded' ? [/redis-server/, /beam/] : [];
      for (const program of [...programs, ...embedded])
        assert.ok(
          [...watch.commands].some((command) => program.test(command)),
          `${String(program)} was looked at`,
        );
      assert.deepEqual([...watch.found], []);
    });

    test('are safe from set-user-ID programs: nothing below the daemon can gain privileges', async () => {
      const free = descendants(daemon.pid).filter((pid) => /^NoNewPrivs:\s*0$/m.test(textOf(pid, 'status')));
      // A process forked at this moment may not have dropped its rights yet.
      await waitUntil('none has kept the daemon’s own rights', () =>
        free.every((pid) => !/^NoNewPrivs:\s*0$/m.test(textOf(pid, 'status'))),
      );
      assert.ok(descendants(daemon.pid).length > 3);
    });

    test('prompt a warning, once, if the daemon runs as root', () => {
      const said = daemon.output().match(/the daemon runs as root/g)?.length ?? 0;
      assert.equal(said, process.getuid?.() === 0 ? 1 : 0);
    });

    test('are in no line of the log, nor in any answer of the daemon', async () => {
      const said = daemon.output() + JSON.stringify(await daemon.status());
      for (const needle of needles) assert.ok(!said.includes(needle));
    });

    test('are in no event of a camera', { skip: servers === 'embedded' }, async () => {
      for (const id of ['refused', ...Object.keys(elsewhere())])
        await waitUntil(`${id} reports its fault`, () =>
          (events?.states(id) ?? []).some(({ fault }) => fault !== undefined),
        );
      const told = JSON.stringify(events?.received);
      for (const needle of needles) assert.ok(!told.includes(needle));
    });

    test('are in no output of probe', { skip: servers === 'embedded' }, () => {
      for (const url of Object.values(elsewhere())) {
        const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'probe', url], {
          encoding: 'utf8',
          env: { PATH: process.env['PATH'] },
        });
        assert.equal(status, 69, stdout + stderr);
        assert.match(stdout, /fault/);
        assert.ok(!(stdout + stderr).includes(camera), stdout + stderr);
      }
    });

    test('are only in the files meant for them, which only their owner may read', () => {
      assert.deepEqual(filesWith(daemon.dataDir, [camera]), []);
      const holding = filesWith(daemon.dataDir, needles).map((file) => path.relative(daemon.dataDir, file));
      // RabbitMQ is sent only a hash.
      const own = servers === 'embedded' ? ['redis/redis.conf'] : [];
      assert.deepEqual(holding.sort(), [...own, 'endpoints.json'].sort());
      for (const file of holding)
        assert.equal(statSync(path.join(daemon.dataDir, file)).mode & 0o077, 0, file);
    });

    const asRoot = process.getuid?.() === 0 ? false : 'only root can look as another user';
    test('are out of reach for another user: environments, data, control socket', { skip: asRoot }, () => {
      const environments = [daemon.pid, ...descendants(daemon.pid)].map((pid) => `/proc/${pid}/environ`);
      const files = [...environments, ...filesBelow(daemon.dataDir)];
      assert.ok(files.includes(path.join(daemon.dataDir, 'endpoints.json')));
      const socket = path.join(daemon.dataDir, 'vigil.sock');
      // Files open to everyone are read, which shows that the program works.
      const open = ['/etc/passwd', '/proc/self/environ'];
      const asNobody = ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', process.execPath];
      const seen = execFileSync('setpriv', [...asNobody, '-e', SNOOP, ...open, ...files, socket], {
        cwd: '/',
        encoding: 'utf8',
      });
      assert.deepEqual(JSON.parse(seen), { read: open.toReversed(), reached: false });
    });
  });
