/** The web actor of a running daemon: pictures change, and frames go on whatever happens to it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ApiCamera, ApiLedger, ApiProblem, ApiState } from '../../src/actors/web/view/api';
import { MAIN, newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { freePort } from '../../lab/free-port';
import { run, waitUntil } from '../../lab/process';
import { endpoints, served } from '../../lab/served';

/** A password that no answer may hold. */
const CANARY = 'C4n4ry-0f-th1s-test';
const TOKEN = 'T0ken-0f-th1s-test';

describe('the web actor', () => {
  const namespace = newNamespace();
  const cameras = [
    { id: 'one', test: 'testsrc2', width: 320 },
    { id: 'two', test: 'testsrc2', width: 64, rate: 2 },
    { id: 'off', test: 'testsrc2', enabled: false },
    { id: 'gone', url: 'rtsp://127.0.0.1:1/live', username: 'viewer', password: CANARY },
  ];
  let config: Record<string, unknown>;
  let events: Listener;
  let daemon: Daemon;
  let base = '';

  before(async () => {
    config = { namespace, ...remoteServers(), http: { port: await freePort(60_000) }, cameras };
    events = await listen(namespace);
    daemon = startDaemon({ config });
    base = await served(daemon);
    await events.gotFrames('one', 2);
  });
  after(async () => {
    await daemon.stop();
    await events.close();
  });

  const get = (route: string, headers = {}) => fetch(new URL(route, base), { headers });
  const json = async <T>(route: string) => (await get(route)).json() as Promise<T>;
  const camera = (id: string) => json<ApiCamera>(`/api/cameras/${id}`);
  const answers = () =>
    get('/healthz').then(
      ({ ok }) => ok,
      () => false,
    );
  const newest = () => Math.max(...events.frames('one').map(({ sequence }) => sequence));
  /** Whether every period from `from` to `to` has a frame of camera one. */
  const areWhole = (from: number, to: number) => {
    const got = new Set(events.frames('one').map(({ sequence }) => sequence));
    const missing = Array.from({ length: to - from + 1 }, (_, i) => from + i).filter(
      (each) => !got.has(each),
    );
    assert.deepEqual(missing, []);
  };

  test('reports the condition of each camera', async () => {
    await waitUntil(
      'both deliver',
      async () => (await json<ApiState>('/api/state')).cameras.delivering === 2,
      30_000,
    );
    const all = await json<ApiCamera[]>('/api/cameras');
    const conditions = all.map(({ id, condition }) => [id, condition]);
    assert.deepEqual(conditions, [
      ['one', 'delivering'],
      ['two', 'delivering'],
      ['off', 'disabled'],
      ['gone', 'offline'],
    ]);
    assert.deepEqual(
      all.map(({ wantedRate }) => wantedRate),
      [1, 2, 0, 1],
    );
    assert.equal(all[3]?.fault?.code, 'refused');
    assert.equal((await get('/readyz')).status, 200);
  });

  test('shows a changing picture, whatever consumers remove from Redis', async () => {
    const first = await get('/api/cameras/one/latest.jpg?width=160');
    assert.deepEqual([first.status, first.headers.get('content-type')], [200, 'image/jpeg']);
    const [etag, at] = [
      first.headers.get('etag') ?? '',
      Date.parse(first.headers.get('x-captured-at') ?? ''),
    ];
    assert.ok(Date.now() - at < 10_000);
    const bytes = Buffer.from(await first.arrayBuffer());
    assert.equal(bytes.readUInt16BE(0), 0xffd8);
    await waitUntil('a newer picture', async () => {
      const next = await get('/api/cameras/one/latest.jpg?width=160', { 'if-none-match': etag });
      if (next.status === 304) return false;
      assert.equal(next.status, 200);
      assert.ok(Date.parse(next.headers.get('x-captured-at') ?? '') > at);
      return !Buffer.from(await next.arrayBuffer()).equals(bytes);
    });
  });

  test('shows no picture of a camera that sends none, and says why', async () => {
    for (const [id, why] of [
      ['gone', /refuses connections/],
      ['off', /disabled/],
    ] as const) {
      const response = await get(`/api/cameras/${id}/latest.jpg`);
      assert.equal(response.status, 404);
      assert.match(((await response.json()) as ApiProblem).detail ?? '', why);
    }
  });

  test('reports the ledger in stretches', async () => {
    await waitUntil(
      'periods are recorded',
      async () => {
        const { cameras: of, bucketMs, from, to } = await json<ApiLedger>('/api/ledger?buckets=6');
        assert.deepEqual([of['one']?.length, to - from], [6, 6 * bucketMs]);
        const confirmed = (of['one'] ?? []).reduce((sum, bucket) => sum + bucket.confirmed, 0);
        const missed = (of['gone'] ?? []).reduce((sum, bucket) => sum + (bucket.missed['refused'] ?? 0), 0);
        return confirmed > 2 && missed > 2;
      },
      30_000,
    );
  });

  test('reveals no password in any answer', async () => {
    const { paths } = await json<{ paths: object }>('/api/openapi.json');
    for (const route of [...Object.keys(paths), '/'].filter((each) => each !== '/api/events'))
      for (const id of ['one', 'gone']) {
        const response = await get(route.replace('{id}', id));
        const said = (await response.text()) + JSON.stringify([...response.headers]);
        assert.ok(!said.includes(CANARY) && !/viewer|amqp:|redis:/.test(said), route);
      }
  });

  test('answers again on the same port after a kill, while frames go on', async () => {
    const before = newest();
    process.kill(await daemon.actorPid('web'), 'SIGKILL');
    await daemon.childIs(
      'web',
      'is restarted',
      ({ restarts, state }) => restarts === 1 && state === 'running',
    );
    await waitUntil('it answers', answers, 30_000);
    const back = newest();
    await waitUntil('frames go on', () => newest() >= back + 2);
    areWhole(before, newest());
    assert.equal((await camera('one')).condition, 'delivering');
    assert.equal(await served(daemon), base);
  });

  test('is killed when it hangs, and answers again while frames go on', async () => {
    const before = newest();
    const pid = await daemon.actorPid('web');
    process.kill(pid, 'SIGSTOP');
    await daemon.childIs(
      'web',
      'is restarted',
      ({ restarts, state, lastFault }) => restarts === 2 && state === 'running' && lastFault?.code === 'hung',
    );
    await waitUntil('it answers', answers, 30_000);
    await waitUntil('frames go on', () => newest() >= before + 4);
    areWhole(before, newest());
  });

  test('does not make the daemon unhealthy', async () => {
    process.kill(await daemon.actorPid('web'), 'SIGKILL');
    const { problems } = await daemon.status();
    assert.deepEqual(problems, []);
    await waitUntil('it answers', answers, 30_000);
  });

  test('applies an edit: another camera, then no HTTP server at all', async () => {
    daemon.edit({ ...config, cameras: [...cameras, { id: 'new', test: 'testsrc2', width: 64 }] });
    await waitUntil(
      'the new camera delivers',
      async () => {
        const all = await json<ApiCamera[]>('/api/cameras');
        return all.find(({ id }) => id === 'new')?.condition === 'delivering';
      },
      60_000,
    );
    daemon.edit(config);
    const left = () => readdirSync(path.join(daemon.dataDir, 'newest')).sort();
    await waitUntil('the picture of the removed camera has gone', () => left().join() === 'one,two', 30_000);
    daemon.edit({ ...config, http: false });
    await waitUntil('it has gone', async () => !(await answers()), 30_000);
    await waitUntil('the address has gone', () => endpoints(daemon).http === undefined);
    daemon.edit(config);
    await waitUntil('it is back', answers, 30_000);
    await waitUntil('the address is back', () => endpoints(daemon).http === base);
  });
});

describe('the address of the web actor', () => {
  test('is the next port if one is in use, which the log says, and asks for a token', async () => {
    const port = await freePort(60_000);
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    const http = { port, token: '${VIGIL_TOKEN}' };
    const config = { namespace: newNamespace(), ...remoteServers(), http, cameras: [] };
    const daemon = startDaemon({ config, env: { VIGIL_TOKEN: TOKEN } });
    try {
      const base = await served(daemon);
      assert.notEqual(new URL(base).port, String(port));
      await daemon.said(
        new RegExp(
          `port ${port} of 127\\.0\\.0\\.1 is in use; the page and the API are at port ${new URL(base).port}`,
        ),
      );
      await daemon.said(/the page and the API are at http:/);
      assert.equal((await fetch(new URL('/api/state', base))).status, 401);
      const headers = { authorization: `Bearer ${TOKEN}` };
      assert.equal((await fetch(new URL('/api/state', base), { headers })).status, 200);
      assert.ok(!daemon.output().includes(TOKEN));
    } finally {
      await daemon.stop();
      other.close();
    }
  });

  test('is not opened to others without a token: one sentence, exit code 78', async () => {
    const dir = newDir();
    const daemon = startDaemon({ dir, config: { http: { host: '0.0.0.0' }, cameras: [] } });
    assert.equal(await daemon.exited, 78);
    assert.match(
      daemon.output(),
      /\$\.http\.token: is required, as "host" is 0\.0\.0\.0 and others can reach it there/,
    );
    const file = path.join(dir, 'actors.json');
    const { code, stderr } = await run(process.execPath, [MAIN, 'check', '--config', file]);
    assert.equal(code, 78);
    assert.match(stderr, /\$\.http\.token: is required/);
  });
});
