/** `logs`: past and new lines of the running daemon, without credentials, until a signal or the daemon's end. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { askDaemon } from '../../src/control/client';
import { MAIN, newDir, startDaemon, type Daemon, type LogLine } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { run, spawnOwned, waitUntil, type OwnedProcess } from '../../lab/process';

const PASSWORD = 'c4nary-0f-the-log';

describe('logs', () => {
  const namespace = newNamespace();
  const cameras = [
    { id: 'gate', test: 'testsrc2', width: 320 },
    { id: 'gone', url: `rtsp://operator:${PASSWORD}@127.0.0.1:1/live?token=${PASSWORD}` },
  ];
  const config = { namespace, ...remoteServers(), http: false, cameras };
  const dir = newDir();
  const commandOf = (...args: string[]) => [MAIN, 'logs', ...args, '--config', path.join(dir, 'actors.json')];
  const logs = (...args: string[]) => run(process.execPath, commandOf(...args));
  let events: Listener;
  let daemon: Daemon;

  before(async () => {
    events = await listen(namespace);
    daemon = startDaemon({ config, dir });
    await events.gotFrames('gate', 1);
  });
  after(async () => {
    await daemon.stop().catch(() => undefined);
    await events.close();
  });

  async function following(...args: string[]): Promise<OwnedProcess & { shown(): string }> {
    const command = await spawnOwned(process.execPath, commandOf(...args));
    let shown = '';
    command.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    return Object.assign(command, { shown: () => shown });
  }

  const lines = (text: string) => text.split('\n').filter((line) => line !== '');

  test('prints the newest lines as the daemon wrote them, oldest first', async () => {
    const before = daemon.log.length;
    const { code, stdout, stderr } = await logs('--json', '--lines', '10000');
    assert.deepEqual([code, stderr], [0, '']);
    const got = lines(stdout.toString()).map((line) => JSON.parse(line) as LogLine);
    assert.ok(got.length >= before);
    assert.deepEqual(got.slice(0, before), daemon.log.slice(0, before));
    const last = await logs('-n', '2', '--json');
    assert.equal(lines(last.stdout.toString()).length, 2);
  });

  test('of a camera are its own lines and the supervisor’s about it, readable, and without colours in a pipe', async () => {
    const { code, stdout } = await logs('gate');
    assert.equal(code, 0);
    const got = lines(stdout.toString());
    assert.ok(got.some((line) => / supervisor\[\d+\] camera:gate runs /.test(line)));
    for (const line of got)
      assert.match(
        line,
        /^\d{4}-\d\d-\d\d [\d:.]{12} [+-]\d\d:\d\d \w{4,5} +(camera:gate\[|supervisor\[.*camera:gate)/,
      );
    assert.ok(!stdout.includes('\u001b'));
  });

  test('hold no credential', async () => {
    await waitUntil('the camera is refused', async () =>
      (await logs('gone')).stdout.toString().includes('127.0.0.1:1'),
    );
    for (const args of [[], ['gone'], ['--json'], ['gone', '--json']]) {
      const { stdout } = await logs(...args, '-n', '10000');
      assert.ok(!stdout.includes(PASSWORD));
    }
  });

  test('of an unknown name are refused in one sentence, with a suggestion', async () => {
    for (const [name, hint] of [
      ['gaet', 'did you mean "gate"\\?'],
      ['stor', 'did you mean "store"\\?'],
      ['nothing-like-it', 'it has supervisor, .*store.*'],
    ] as const) {
      const { code, stdout, stderr } = await logs(name, '-f');
      assert.match(stderr, new RegExp(`^vigil: the daemon has no child "${name}"; ${hint}\n$`));
      assert.deepEqual([code, stdout.length], [2, 0]);
    }
  });

  test('that are followed go on until a signal, exit 0', async () => {
    const command = await following('gate', '-f');
    try {
      await waitUntil('the newest lines have come', () => command.shown().includes('camera:gate runs'));
      process.kill(await daemon.actorPid('camera:gate'), 'SIGKILL');
      await waitUntil('its end is reported', () => / camera:gate: ended by SIGKILL/.test(command.shown()));
    } finally {
      command.signal('SIGINT');
    }
    assert.deepEqual(await command.exited, { code: 0, signal: null });
    assert.equal(command.stderr(), '');
  });

  test('that are followed end with their reader, as behind a pipe to head', async () => {
    const script = `timeout -s KILL 50 "$0" "$@" | head -n 1; echo "\${PIPESTATUS[0]}"`;
    let isOver = false;
    const running = run('bash', ['-c', script, process.execPath, ...commandOf('-f', '-n', '1000')]).finally(
      () => (isOver = true),
    );
    await waitUntil('more lines than head takes have come', async () => {
      await askDaemon(daemon.dataDir, '/restart', { camera: 'gate', by: 'a test' });
      return isOver;
    });
    const { stdout } = await running;
    assert.equal(lines(stdout.toString()).at(-1), '0');
  });

  test('that are followed end with the daemon, exit 3, and say so', async () => {
    const command = await following('-f');
    await waitUntil('the newest lines have come', () => command.shown().includes('supervisor['));
    await daemon.stop();
    assert.deepEqual(await command.exited, { code: 3, signal: null });
    assert.match(command.stderr(), /^vigil: the daemon on \S+ has ended, and with it what was followed\n$/);
    assert.match(command.shown(), /SIGTERM: stopping/);
    const none = await run(process.execPath, [MAIN, 'logs', '-f', '--data-dir', dir]);
    assert.equal(none.code, 3);
    assert.match(none.stderr, /^vigil: no daemon runs on /);
  });
});
