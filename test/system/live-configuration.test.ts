/** Edits of actors.json in the running daemon: what they affect applies them, and nothing else is disturbed. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MAIN, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { run, waitUntil } from '../../lab/process';

describe('live configuration', () => {
  const namespace = newNamespace();
  let events: Listener;
  let daemon: Daemon;
  let steadyPid: number | undefined;

  const steady = { id: 'steady', test: 'testsrc2', width: 160 };
  const config = (cameras: unknown[], rest: Record<string, unknown> = {}) => ({
    namespace,
    ...remoteServers(),
    ...rest,
    cameras: [steady, ...cameras],
  });
  const applied = async (edit: () => void) => {
    const before = (await daemon.status()).configuration.appliedAtMs;
    edit();
    await waitUntil('it is applied', async () => (await daemon.status()).configuration.appliedAtMs > before);
  };
  const pidOf = async (name: string) =>
    (await daemon.childIs(name, 'runs', (c) => c.state === 'running')).pid;
  const plan = (file: string) =>
    run(process.execPath, [MAIN, 'plan', '--config', file, '--data-dir', daemon.dataDir]);

  before(async () => {
    events = await listen(namespace);
    daemon = startDaemon({ config: config([{ id: 'other', test: 'testsrc2', width: 160 }]) });
    await daemon.said(/^ready/);
    await events.gotFrames('steady', 2);
    await events.gotFrames('other', 2);
    steadyPid = await pidOf('camera:steady');
  });

  after(async () => {
    await events.close();
    await daemon.stop();
  });

  test('a changed camera applies the edit and keeps its process', async () => {
    const pid = await pidOf('camera:other');
    await applied(() => daemon.edit(config([{ id: 'other', test: 'testsrc2', width: 320 }])));
    await waitUntil('its pictures are wider', () =>
      events.frames('other').some(({ width }) => width === 320),
    );
    assert.equal(await pidOf('camera:other'), pid);
  });

  test('a camera that is added starts, one that is removed stops and says so', async () => {
    await applied(() => daemon.edit(config([{ id: 'new', test: 'testsrc2', width: 160 }])));
    await events.gotFrames('new', 2);
    await waitUntil('the other stops', () => events.states('other').at(-1)?.state === 'stopped');
    assert.ok(!(await daemon.status()).children.some(({ name }) => name === 'camera:other'));
  });

  test('a file written in place, in two steps, is applied when it is complete', async () => {
    const text = JSON.stringify(config([{ id: 'new', test: 'testsrc2', width: 160, rate: 2 }]));
    const file = path.join(daemon.dir, 'actors.json');
    const pid = await pidOf('camera:new');
    await applied(() => {
      writeFileSync(file, text.slice(0, text.length / 2));
      setTimeout(() => writeFileSync(file, text), 150);
    });
    await waitUntil('its pictures come twice a second', () => {
      const [newest, , before] = events.frames('new').slice(-3).reverse();
      return (newest?.capturedAt ?? Infinity) - (before?.capturedAt ?? 0) < 1500;
    });
    assert.equal(await pidOf('camera:new'), pid);
    assert.equal((await daemon.status()).configuration.faults, undefined);
  });

  test('an invalid edit changes nothing, and state and log say which paths are wrong', async () => {
    const before = (await daemon.status()).children.map(({ name, pid }) => [name, pid]);
    daemon.edit({ ...config([]), cameras: [{ ...steady, rate: 'fast' }], frames: { expireMS: 1 } });
    await waitUntil('it is noticed', async () => (await daemon.status()).configuration.faults !== undefined);
    const { configuration, children } = await daemon.status();
    assert.deepEqual(configuration.faults?.map(({ path: at }) => at).sort(), [
      '$.cameras[0].rate',
      '$.frames.expireMS',
    ]);
    assert.deepEqual(
      children.map(({ name, pid }) => [name, pid]),
      before,
    );
    await daemon.said(/\$\.frames\.expireMS: unknown key; did you mean "expireMs"\?/);
  });

  test('a file that vanishes changes nothing, and SIGHUP applies it once it exists again', async () => {
    const faults = async () => (await daemon.status()).configuration.faults;
    await applied(() => daemon.edit(config([{ id: 'new', test: 'testsrc2', width: 160, rate: 2 }])));
    rmSync(path.join(daemon.dir, 'actors.json'));
    await waitUntil('it is missed', async () => /no such file/.test((await faults())?.[0]?.problem ?? ''));
    assert.ok((await daemon.status()).children.some(({ name }) => name === 'camera:new'));
    await applied(() => {
      daemon.edit(config([{ id: 'new', test: 'testsrc2', width: 160, rate: 2 }]));
      daemon.signal('SIGHUP');
    });
    assert.equal(await faults(), undefined);
  });

  test('a switch to embedded servers is refused with the reason', async () => {
    const file = path.join(daemon.dir, 'other.json');
    writeFileSync(file, JSON.stringify({ ...config([]), redis: 'embedded' }));
    const { code, stderr } = await plan(file);
    assert.equal(code, 78);
    assert.match(stderr, /\$\.redis: .*restart the daemon to change this/);
  });

  test('plan says what an edit would start, stop, restart, adjust and leave, and changes nothing', async () => {
    const file = path.join(daemon.dir, 'other.json');
    const edit = config([{ id: 'third', test: 'testsrc2' }], {
      frames: { expireMs: 60_000 },
      actors: { camera: { maxRestarts: 9 } },
      log: { level: 'debug' },
    });
    writeFileSync(file, JSON.stringify(edit));
    const { code, stdout } = await plan(file);
    assert.equal(code, 0);
    assert.deepEqual(stdout.toString().trim().split('\n'), [
      'start    camera:third',
      'stop     camera:new',
      'adjust   daemon  (logLevel)',
      'adjust   notifier  (expireMs)',
      'adjust   store  (expireMs)',
      'adjust   camera:steady  (maxRestarts)',
      'leave    web',
    ]);
    assert.ok((await daemon.status()).children.some(({ name }) => name === 'camera:new'));
  });

  test('expiry, log level and restart policy change while frames flow', async () => {
    await applied(() => daemon.edit(config([], { frames: { expireMs: 60_000 }, log: { level: 'debug' } })));
    // Nine tenths of 60 s; it was nine tenths of 120 s.
    const isNew = (life: string | undefined) => Number(life) > 50_000 && Number(life) <= 54_000;
    const expires = () => events.received.some(({ properties }) => isNew(properties.expiration));
    await waitUntil('messages live 54 s', expires);
    await waitUntil('debug lines arrive', () => daemon.log.some(({ level }) => level === 'debug'));
  });

  test('store and notifier move into the daemon, and out again, while frames flow', async () => {
    const pidIs = (is: (pid: number | undefined) => boolean) => async (name: string) =>
      daemon.childIs(name, 'runs where it should', (c) => c.state === 'running' && is(c.pid));
    for (const [mode, is] of [
      ['in-memory', (pid: number | undefined) => pid === undefined || pid === daemon.pid],
      ['forked', (pid: number | undefined) => pid !== undefined && pid !== daemon.pid],
    ] as const) {
      await applied(() => daemon.edit(config([], { actors: { store: { mode }, notifier: { mode } } })));
      await Promise.all(['store', 'notifier'].map(pidIs(is)));
      await events.gotFrames('steady', events.frames('steady').length + 2);
    }
  });

  test('a camera that was never edited has kept its process and missed no second', async () => {
    assert.equal(await pidOf('camera:steady'), steadyPid);
    await events.gotEverySecond('steady', 5);
    const [first] = events.frames('steady');
    const gaps = events.gaps('steady').filter(({ lastSequence }) => lastSequence > (first?.sequence ?? 0));
    assert.deepEqual(gaps, [], 'after its first picture');
  });
});
