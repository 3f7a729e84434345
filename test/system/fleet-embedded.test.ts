/** A fleet on one machine: the first daemon runs etcd, Redis and RabbitMQ, the second uses them by its endpoints.json. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { FleetStatus } from '../../src/fleet/status';
import type { Endpoints } from '../../src/config/endpoints-file';
import { vigil } from '../../lab/command';
import { newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers } from '../../lab/events';
import { isAlive, waitUntil } from '../../lab/process';

const CAMERAS = ['one', 'two'].map((id) => ({ id, test: 'testsrc2', width: 64 }));
/** Enough for a broker to start, a lease to end and a camera to start on a busy machine. */
const LONG_MS = 120_000;

function start(t: TestContext, node: string, etcd: string, dir = newDir(), more: object = {}): Daemon {
  const fleet = { etcd, node };
  const daemon = startDaemon({ config: { http: false, fleet, cameras: CAMERAS, ...more }, dir });
  t.after(() => daemon.kill(LONG_MS));
  return daemon;
}

function endpointsOf({ dataDir }: Daemon): Endpoints {
  return JSON.parse(readFileSync(path.join(dataDir, 'endpoints.json'), 'utf8')) as Endpoints;
}

function ownersSeenBy({ dataDir }: Daemon): string {
  const { stdout } = vigil(['status', '--fleet', '--json', '--data-dir', dataDir]);
  const { cameras = [] } = (stdout.startsWith('{') ? JSON.parse(stdout) : {}) as Partial<FleetStatus>;
  return cameras
    .map(({ node }) => node)
    .sort()
    .join();
}

describe('"etcd": "embedded"', () => {
  test('lets a second daemon share the cameras of the first by its endpoints.json, survive its restart, and be replaced when it dies', async (t) => {
    const dir = newDir();
    let first = start(t, 'first', 'embedded', dir);
    await first.said(/^ready/, LONG_MS);
    const file = path.join(first.dataDir, 'endpoints.json');
    const second = start(t, 'second', file);
    const hasOneEach = async () =>
      waitUntil('each has a camera', () => ownersSeenBy(second) === 'first,second', LONG_MS);
    await hasOneEach();
    const before = endpointsOf(first);

    first.signal('SIGTERM');
    assert.equal(await first.exited, 0, first.output());
    first = start(t, 'first', 'embedded', dir);
    await first.said(/^ready/, LONG_MS);
    const after = endpointsOf(first);
    assert.notEqual(after.redis, before.redis, 'passwords are new with every start');
    assert.equal(after.etcd, before.etcd);
    const again = await listen('vigil', after.amqp);
    await hasOneEach();
    const nodes = () => new Set(CAMERAS.map(({ id }) => again.frames(id).at(-1)?.node));
    const isShared = () => [...nodes()].sort().join() === 'first,second';
    await waitUntil('both announce on the new servers', isShared, LONG_MS);

    second.signal('SIGKILL');
    await second.exited;
    await waitUntil('the first has both', () => ownersSeenBy(first) === 'first,first', LONG_MS);
    await waitUntil('the first announces both', () => [...nodes()].join() === 'first', LONG_MS);
    await again.close();
    const ledger = vigil(['ledger', '--fleet', '--config', path.join(dir, 'actors.json')]);
    assert.equal(ledger.status, 0, ledger.stderr);
    assert.match(ledger.stdout, /\btwo\b/);
  });

  test('is restarted when it dies, which moves no camera, and does not outlive its daemon', async (t) => {
    const daemon = start(t, 'only', 'embedded', newDir(), {
      namespace: newNamespace(),
      ...remoteServers(),
    });
    await waitUntil('it has both', () => ownersSeenBy(daemon) === 'only,only', LONG_MS);
    const { pid: old = 0 } = await daemon.childIs('etcd', 'runs', ({ state }) => state === 'running');
    process.kill(old, 'SIGKILL');
    const { pid = 0 } = await daemon.childIs('etcd', 'runs again', (child) => {
      return child.state === 'running' && child.pid !== undefined && child.pid !== old;
    });
    await waitUntil('it has both still', () => ownersSeenBy(daemon) === 'only,only', LONG_MS);
    assert.ok(!daemon.log.some(({ message }) => /^camera:\w+ (?:stops|stopped)/.test(message)));
    daemon.signal('SIGKILL');
    await daemon.exited;
    await waitUntil('etcd has gone', () => !isAlive(pid));
  });

  test('that cannot start, or does not exist yet, ends the daemon with code 69 and one sentence', async (t) => {
    const dir = newDir();
    mkdirSync(path.join(dir, 'data', 'etcd'), { recursive: true });
    writeFileSync(path.join(dir, 'data', 'etcd', 'data'), 'not a folder');
    const servers = { namespace: newNamespace(), ...remoteServers() };
    const broken = start(t, 'only', 'embedded', dir, servers);
    assert.equal(await broken.exited, 69, broken.output());
    assert.match(broken.output(), /etcd did not start: it ended .*; its last output: (?!.*stack)/);

    const early = start(t, 'second', path.join(dir, 'endpoints.json'));
    assert.equal(await early.exited, 69, early.output());
    assert.match(early.output(), /endpoints\.json cannot be read \(ENOENT\).*: start that daemon first/);
    assert.doesNotMatch(early.output(), / at .*\.js:/);
  });
});
