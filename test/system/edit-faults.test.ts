/** Edits over HTTP that fail on a running daemon: a full disk, another edit, a crash. The configuration is never harmed. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { ApiProblem } from '../../src/actors/web/view/api';
import { newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { newNamespace, remoteServers } from '../../lab/events';
import { freePort } from '../../lab/free-port';
import { run } from '../../lab/process';
import { served } from '../../lab/served';

const DIES = path.resolve(__dirname, '../fixtures/dies-at-rename.cjs');
const JSON_BODY = { 'content-type': 'application/json' };

async function configuration(): Promise<Record<string, unknown>> {
  const http = { port: await freePort(60_000) };
  return { namespace: newNamespace(), ...remoteServers(), http, cameras: [{ id: 'one', test: 'testsrc2' }] };
}

interface Edited {
  readonly status: number;
  readonly body: ApiProblem;
}

async function edit(daemon: Daemon, rate: number, match = '*'): Promise<Edited> {
  const url = new URL('/api/cameras/one', await served(daemon));
  const headers = { ...JSON_BODY, 'if-match': match };
  const response = await fetch(url, { method: 'PATCH', headers, body: JSON.stringify({ rate }) });
  return { status: response.status, body: (await response.json()) as ApiProblem };
}

const camerasIn = (file: string) => (JSON.parse(readFileSync(file, 'utf8')) as { cameras: object[] }).cameras;

describe('an edit over HTTP', () => {
  test('on a full disk is answered with 507 and changes nothing; it succeeds when there is room', async (t) => {
    const disk = newDir();
    const { code } = await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    if (code !== 0) {
      t.skip('tmpfs cannot be mounted here');
      return;
    }
    t.after(() => run('umount', ['-l', disk]));
    const file = path.join(disk, 'actors.json');
    const config = await configuration();
    writeFileSync(file, JSON.stringify(config));
    const daemon = startDaemon({ config, args: ['--config', file] });
    t.after(() => daemon.stop());
    await served(daemon);
    const before = readFileSync(file, 'utf8');
    const filler = path.join(disk, 'filler');
    try {
      writeFileSync(filler, Buffer.alloc(1024 * 1024));
    } catch {
      // Expected: the filler is to exhaust the disk.
    }
    const { status, body } = await edit(daemon, 2);
    assert.deepEqual([status, body.code], [507, 'disk-full'], JSON.stringify(body));
    assert.match(body.detail ?? '', /actors\.json cannot be written: the disk is full \(ENOSPC\)$/);
    assert.equal(readFileSync(file, 'utf8'), before);
    assert.deepEqual(readdirSync(disk).sort(), ['actors.json', 'filler'], 'nothing half-written is left');
    rmSync(filler);
    assert.equal((await edit(daemon, 2)).status, 200);
    assert.deepEqual(camerasIn(file), [{ id: 'one', test: 'testsrc2', rate: 2 }]);
  });

  test('made at the same time as another: one succeeds, the other is answered with 412 and what to do', async (t) => {
    const daemon = startDaemon({ config: await configuration() });
    t.after(() => daemon.stop());
    const url = new URL('/api/cameras/one', await served(daemon));
    for (const rates of [
      [2, 3],
      [4, 5],
      [1.5, 2.5],
    ]) {
      const etag = (await fetch(url)).headers.get('etag') ?? '';
      const ends = await Promise.all(rates.map((rate) => edit(daemon, rate, etag)));
      const [made, refused] = ends.sort((one, other) => one.status - other.status);
      assert.deepEqual([made?.status, refused?.status], [200, 412], JSON.stringify(ends));
      assert.equal(refused?.body.code, 'changed-meanwhile');
      assert.match(
        refused.body.detail ?? '',
        /was changed meanwhile; nothing was written: look at it as it is now/,
      );
    }
  });

  test('cut short by a kill of the daemon before the rename leaves the old file, and the next daemon accepts edits', async (t) => {
    const [config, dir] = [await configuration(), newDir()];
    const file = path.join(dir, 'actors.json');
    const killed = startDaemon({ config, dir, env: { NODE_OPTIONS: `--require=${DIES}` } });
    await served(killed);
    const before = readFileSync(file, 'utf8');
    await edit(killed, 2).catch(() => undefined);
    await killed.exited;
    assert.equal(readFileSync(file, 'utf8'), before);
    const lock = path.join(dir, '.actors.json.lock');
    assert.deepEqual((JSON.parse(readFileSync(lock, 'utf8')) as { cameras: object[] }).cameras, [
      { id: 'one', test: 'testsrc2', rate: 2 },
    ]);

    const daemon = startDaemon({ config, dir });
    t.after(() => daemon.stop());
    await daemon.said(/the page and the API are at/);
    // Dated back a minute: a file of the last seconds looks like that of another writer.
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lock, longAgo, longAgo);
    assert.equal((await edit(daemon, 3)).status, 200);
    assert.deepEqual(camerasIn(file), [{ id: 'one', test: 'testsrc2', rate: 3 }]);
    assert.ok(!existsSync(lock));
  });

  test('is answered with 503 while another process writes the configuration', async (t) => {
    const dir = newDir();
    const daemon = startDaemon({ config: await configuration(), dir });
    t.after(() => daemon.stop());
    await served(daemon);
    const lock = path.join(dir, '.actors.json.lock');
    writeFileSync(lock, '');
    const { status, body } = await edit(daemon, 2);
    assert.deepEqual([status, body.code], [503, 'busy']);
    assert.match(body.detail ?? '', /another process is writing the configuration .*try again$/);
    rmSync(lock);
    assert.equal((await edit(daemon, 2)).status, 200);
  });
});
