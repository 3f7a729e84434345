/** Two daemons with one namespace on the same servers: the second is refused, and no restart of the first ever is. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { FaultProxy } from '../../lab/fault-proxy';
import { newDir, startDaemon, type Daemon, type DaemonOptions } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, withRedis } from '../../lab/events';
import { waitUntil } from '../../lab/process';

const EXIT_UNAVAILABLE = 69;
/** The lease of a dead daemon, plus a start on a busy machine. */
const FREE_MS = 30_000;
const NAMESPACE = /namespace/;

function configOf(namespace: string, changes: object = {}) {
  const cameras = [{ id: 'gate', test: 'testsrc2', width: 64 }];
  return { namespace, ...remoteServers(), cameras, ...changes };
}

/** Starts a daemon that is removed when the test ends, whatever its outcome. */
function run(t: TestContext, options: DaemonOptions): Daemon {
  const dir = options.dir ?? newDir();
  const daemon = startDaemon({ ...options, dir });
  t.after(async () => {
    daemon.signal('SIGKILL');
    await daemon.exited;
  });
  return daemon;
}

async function ready(daemon: Daemon): Promise<Daemon> {
  await daemon.said(/^ready/);
  return daemon;
}

async function refusedBy(first: Daemon, second: Daemon): Promise<void> {
  assert.equal(await second.exited, EXIT_UNAVAILABLE, second.output());
  // Either in its JSON log or on standard error.
  const said = second.output().replaceAll('\\"', '"');
  assert.match(said, /namespace "\w+" on redis at \S+ is in use by the daemon with pid \d+ on host \S+ /);
  assert.ok(said.includes(`with pid ${first.pid} on`), said);
  assert.ok(
    said.includes(`(data directory ${first.dataDir}); stop that daemon, give this one another`),
    said,
  );
}

describe('a second daemon with the same namespace', { concurrency: 2 }, () => {
  test('is refused with the name of the first before it captures; the first is never refused after a kill', async (t) => {
    const namespace = newNamespace();
    const config = configOf(namespace);
    const events = await listen(namespace);
    t.after(() => events.close());
    let first = await ready(run(t, { config }));
    const second = run(t, { config });
    await refusedBy(first, second);
    assert.ok(!second.log.some(({ message }) => /camera:gate runs/.test(message)));

    process.kill(await first.actorPid('store'), 'SIGKILL');
    await events.gotFrames('gate', events.frames('gate').length + 3);
    first.signal('SIGKILL');
    await first.exited;
    assert.doesNotMatch(first.output(), NAMESPACE);
    // As PM2 does.
    first = await ready(run(t, { config, dir: first.dir }));
    await events.gotFrames('gate', events.frames('gate').length + 2);
    assert.doesNotMatch(first.output(), NAMESPACE);

    // The kill of its store may repeat a frame, but each period has only one.
    const frames = new Map(events.frames('gate').map((frame) => [frame.capturedAt, frame.sequence]));
    assert.equal(new Set(frames.values()).size, frames.size, JSON.stringify([...frames]));
  });

  test('that could not reach Redis at first announces nothing, and ends when it can', async (t) => {
    const namespace = newNamespace();
    const config = configOf(namespace);
    const first = await ready(run(t, { config }));
    const proxy = await FaultProxy.start(Number(new URL(config.redis).port));
    t.after(() => proxy.stop());
    proxy.network = { kind: 'black-hole' };
    const redis = new URL(config.redis);
    redis.port = String(proxy.port);
    const cameras = [{ id: 'other', test: 'testsrc2', width: 64 }];
    const events = await listen(namespace);
    t.after(() => events.close());
    const second = run(t, { config: { ...config, redis: redis.href, cameras } });
    await second.said(/^camera:other runs/);
    proxy.network = { kind: 'sound' };
    await refusedBy(first, second);
    assert.equal(events.frames('other').length, 0);
  });

  test('takes ownership with --force, and the first ends, naming the second', async (t) => {
    const config = configOf(newNamespace());
    const first = await ready(run(t, { config }));
    const second = await ready(run(t, { config, args: ['--force'] }));
    await refusedBy(second, first);
    assert.equal((await second.status()).ready, true);
  });

  test('starts within seconds after one that was killed or stopped', async (t) => {
    const config = configOf(newNamespace());
    const killed = await ready(run(t, { config }));
    killed.signal('SIGKILL');
    await killed.exited;
    const second = run(t, { config });
    await second.said(/^ready/, FREE_MS);
    assert.equal(await second.stop(), 0);
    const third = await ready(run(t, { config }));
    assert.doesNotMatch(third.output(), NAMESPACE);
  });

  test('cannot arise from an edit: the daemon keeps its namespace', async (t) => {
    const [taken, own] = [newNamespace(), newNamespace()];
    const first = await ready(run(t, { config: configOf(taken) }));
    const other = await ready(run(t, { config: configOf(own) }));
    other.edit(configOf(taken));
    const { message } = await other.said(/could not be applied/);
    assert.ok(message.includes(`is in use by the daemon with pid ${first.pid}`), message);
    const lease = async (namespace: string) => withRedis((redis) => redis.get(`${namespace}:daemon`));
    const before = await lease(own);
    await waitUntil('it renews the old one', async () => {
      const now = await lease(own);
      return now !== null && now !== before;
    });
    assert.equal((await other.status()).ready, true);
    assert.doesNotMatch(other.output(), /the configuration has changed/);
  });
});
