/** The default configuration: private servers, endpoints for any client, the command process, locks and leftovers. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import type { Endpoints } from '../../src/config/endpoints-file';
import { vigil } from '../../lab/command';
import { MAIN, newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, withRedis, type Listener } from '../../lab/events';
import { isAlive, waitUntil } from '../../lab/process';
import { connectWith, occupy, setTrap, withQueue } from '../../lab/port-trap';

const CONFIG = {
  // Longer than a broker takes to start on a busy machine: messages must outlive its start.
  frames: { expireMs: 600_000 },
  cameras: [
    { id: 'clock', test: 'testsrc2', width: 320 },
    { id: 'bars', test: 'smptehdbars', format: 'png', width: 160 },
  ],
};

describe('embedded servers', () => {
  const dir = newDir();
  let daemon: Daemon;
  let events: Listener;
  let endpoints: Endpoints;
  const place = () => ['--config', path.join(dir, 'actors.json'), '--data-dir', daemon.dataDir];
  const serverPid = (name: string) =>
    daemon.log.findLast(({ message }) => message === `${name} runs`)?.server ?? 0;

  before(async () => {
    daemon = startDaemon({ config: CONFIG, dir });
    await daemon.said(/^ready/, 120_000);
    endpoints = JSON.parse(readFileSync(path.join(daemon.dataDir, 'endpoints.json'), 'utf8')) as Endpoints;
    events = await listen('vigil', endpoints.amqp);
  });

  after(async () => {
    await daemon.stop();
  });

  test('endpoints.json is readable by its owner only, and works for any client', async () => {
    assert.equal(statSync(path.join(daemon.dataDir, 'endpoints.json')).mode & 0o777, 0o600);
    assert.equal(await withRedis((redis) => redis.ping(), endpoints.redis), 'PONG');
    await events.gotFrames('clock', 2);
  });

  test('status shows which foreign queues are bound as well', () => {
    assert.match(
      vigil(['status', ...place()]).stdout,
      /^QUEUE +DECLARED BY +MESSAGES +CONSUMERS +BOUND TO\namq\.gen\S+ +another service +\d+ +1 +vigil\.frames$/m,
    );
  });

  test('redis keeps a snapshot every 60 s and an append-only file, and listens on loopback alone', async () => {
    const [save, appendonly, bind] = await withRedis(
      async (redis) =>
        Promise.all(['save', 'appendonly', 'bind'].map(async (name) => redis.config('GET', name))),
      endpoints.redis,
    );
    assert.match(JSON.stringify([save, appendonly, bind]), /60 1.*yes.*127\.0\.0\.1/);
  });

  test('passwords of the servers are in no process list', () => {
    const list = spawnSync('ps', ['-eo', 'args', '-ww'], { encoding: 'utf8' }).stdout;
    for (const url of [endpoints.redis, endpoints.amqp]) assert.ok(!list.includes(new URL(url).password));
  });

  test('the command process saves every picture under its local time and removes its frame', async () => {
    const out = path.join(dir, 'pictures');
    const { status, stdout } = vigil(['process', ...place(), '--out', out, '--count', '4']);
    assert.equal(status, 0, stdout);
    const files = readdirSync(out).flatMap((camera) =>
      readdirSync(path.join(out, camera)).map((name) => path.join(camera, name)),
    );
    assert.equal(files.length, 4);
    // Two pictures near a period boundary may share a second; only then does one name have milliseconds.
    const second = (file: string) => file.replace(/_\d{3}\./, '.');
    for (const file of files) {
      assert.match(
        second(file),
        /^(clock\/frame_\d\d_\d\d_\d{4}-\d\d_\d\d_\d\d\.jpg|bars\/frame_\d\d_\d\d_\d{4}-\d\d_\d\d_\d\d\.png)$/,
      );
      assert.ok(
        files.includes(second(file)),
        `${file} has milliseconds, and no other picture is of its second`,
      );
      await sharp(path.join(out, file)).stats();
    }
  });

  test('servers killed by SIGKILL come back with the same endpoints, and frames flow again', async () => {
    for (const [name, deadlineMs] of [
      ['redis', 30_000],
      ['rabbitmq', 90_000],
    ] as const) {
      const killed = serverPid(name);
      process.kill(killed, 'SIGKILL');
      await waitUntil(`${name} runs again`, () => serverPid(name) !== killed, deadlineMs);
    }
    await events.close().catch(() => undefined);
    events = await listen('vigil', endpoints.amqp);
    await events.gotFrames('clock', 2, 60_000);
    await events.close();
  });

  test('a daemon killed by SIGKILL leaves no process, even if no snapshot can be saved, and the next one starts on its data and ports with new passwords', async () => {
    const servers = ['redis', 'rabbitmq'].map(serverPid);
    const actors = await Promise.all(
      ['camera:clock', 'store', 'notifier'].map((name) => daemon.actorPid(name)),
    );
    // A folder there makes the rename of a snapshot fail.
    const snapshot = path.join(daemon.dataDir, 'redis', 'dump.rdb');
    rmSync(snapshot, { force: true });
    mkdirSync(snapshot);
    daemon.signal('SIGKILL');
    await daemon.exited;
    // Started at once, as by a service manager: the servers are still saving and listening on their ports.
    daemon = startDaemon({ config: CONFIG, dir });
    await waitUntil('its processes have gone', () => ![...servers, ...actors].some(isAlive), 15_000);
    rmdirSync(snapshot);
    await daemon.said(/^ready/, 120_000);
    endpoints = await renewed(endpoints);
    events = await listen('vigil', endpoints.amqp);
    await events.gotFrames('clock', 2);
    await events.close();
  });

  const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'only root can listen as another user' };
  test(
    'another user on the ports of a dead daemon receives no password from process, and no valid one from others',
    needsRoot,
    async () => {
      const running = startProcess();
      let said = '';
      running.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      try {
        await waitUntil('it consumes', () => /"consuming vigil\.detection"/.test(said));
        const servers = ['redis', 'rabbitmq'].map(serverPid);
        daemon.signal('SIGKILL');
        await daemon.exited;
        await waitUntil('the servers have gone', () => !servers.some(isAlive), 15_000);
        const trap = await setTrap([endpoints.redis, endpoints.amqp]);
        // The first one has reported that its servers are away, and keeps trying; a new one reports why.
        const late = startProcess();
        let told = '';
        late.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
        await waitUntil('it meets the trap', () => told.includes('another user listens on its port'), 30_000);
        // The port of its Redis is closed.
        await waitUntil(
          'and misses its Redis',
          () => /redis at \S+ (refuses|does not run)/.test(told),
          30_000,
        );
        late.kill('SIGKILL');
        assert.deepEqual(trap.heard(), '');
        // A client that trusts the URL does send its password, and the trap receives it.
        await assert.rejects(connectWith(endpoints.redis, new URL(endpoints.redis).password));
        await waitUntil('the trap hears a password', () =>
          trap.heard().includes(new URL(endpoints.redis).password),
        );
        await trap.close();
        // It may resume before the daemon reports that it is ready.
        said = '';
        daemon = startDaemon({ config: CONFIG, dir });
        await daemon.said(/^ready/, 120_000);
        endpoints = await renewed(endpoints);
        await waitUntil('process goes on', () => /"consuming vigil\.detection"/.test(said), 60_000);
        const events = await listen('vigil', endpoints.amqp);
        const [frame] = await events.gotFrames('clock', 1);
        await events.close();
        const isTaken = async () =>
          withRedis(async (redis) => (await redis.exists(frame?.key ?? '')) === 0, endpoints.redis);
        await waitUntil('and takes its frames', isTaken, 30_000);
      } finally {
        running.kill('SIGKILL');
      }
    },
  );

  function startProcess() {
    return spawn(process.execPath, [MAIN, 'process', ...place()], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** The endpoints of the daemon that runs now: the same ports, new passwords, and the old ones no longer valid. */
  async function renewed(old: Endpoints): Promise<Endpoints> {
    const now = JSON.parse(readFileSync(path.join(daemon.dataDir, 'endpoints.json'), 'utf8')) as Endpoints;
    for (const name of ['redis', 'amqp'] as const) {
      assert.equal(new URL(now[name]).port, new URL(old[name]).port);
      await connectWith(now[name], new URL(now[name]).password);
      await assert.rejects(
        connectWith(now[name], new URL(old[name]).password),
        'the old password is refused',
      );
    }
    return now;
  }

  test('a data directory that was moved, and lost its ports, keeps the queued messages; passwords are new', async () => {
    const waiting = async () =>
      withQueue(
        endpoints.amqp,
        async (channel) => (await channel.checkQueue('vigil.detection')).messageCount,
      );
    await waitUntil('messages wait in the queue', async () => (await waiting()) >= 6);
    const before = await waiting();
    const { redis, amqp } = endpoints;
    daemon.signal('SIGTERM');
    assert.equal(await daemon.exited, 0);
    // Also longer than the path of a socket may be.
    const moved = path.join(newDir(), 'an other plače', 'long'.repeat(25));
    mkdirSync(moved, { recursive: true });
    renameSync(daemon.dataDir, path.join(moved, 'data'));
    rmSync(daemon.dir, { recursive: true });
    const others = await Promise.all([redis, amqp].map((url) => occupy(new URL(url))));
    daemon = startDaemon({ config: CONFIG, dir: moved });
    await daemon.said(/^ready/, 120_000).finally(() => {
      for (const other of others) other.close();
    });
    endpoints = JSON.parse(readFileSync(path.join(daemon.dataDir, 'endpoints.json'), 'utf8')) as Endpoints;
    events = await listen('vigil', endpoints.amqp);
    await events.gotFrames('clock', 2);
    await events.close();
    for (const [old, now] of [
      [redis, endpoints.redis],
      [amqp, endpoints.amqp],
    ] as const) {
      assert.notEqual(new URL(now).port, new URL(old).port);
      assert.notEqual(new URL(now).password, new URL(old).password);
      await assert.rejects(connectWith(now, new URL(old).password), 'the old password is refused');
    }
    assert.ok((await waiting()) >= before, `${await waiting()} of ${before} messages wait`);
    await withQueue(endpoints.amqp, async (channel) => {
      for (let taken = 0; taken < before; taken++)
        assert.ok(await channel.get('vigil.detection', { noAck: true }), `message ${taken} is there`);
    });
  });

  test('SIGTERM while the servers are still starting ends cleanly', async () => {
    await daemon.stop();
    daemon = startDaemon({ config: CONFIG });
    await daemon.said(/^rabbitmq is starting/);
    assert.equal(await daemon.stop(), 0);
    daemon = startDaemon({
      config: { ...CONFIG, redis: 'redis://127.0.0.1:1', rabbitmq: 'amqp://127.0.0.1:1' },
    });
  });
});
