/** Commands at a terminal, on a daemon without its HTTP server: pictures, and a status that is redrawn. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { MAIN, newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { run, waitUntil } from '../../lab/process';

const ESC = '\u001b';

describe('at a terminal', () => {
  const namespace = newNamespace();
  const cameras = [
    { id: 'one', test: 'testsrc2', width: 320 },
    { id: 'off', test: 'testsrc2', enabled: false },
    { id: 'gone', url: 'rtsp://127.0.0.1:1/live' },
  ];
  const config = { namespace, ...remoteServers(), http: false, cameras };
  const dir = newDir();
  let events: Listener;
  let daemon: Daemon;
  const vigil = (...args: string[]) =>
    run(process.execPath, [MAIN, ...args, '--config', path.join(dir, 'actors.json')]);

  before(async () => {
    events = await listen(namespace);
    daemon = startDaemon({ config, dir });
    await events.gotFrames('one', 2);
  });
  after(async () => {
    await daemon.stop();
    await events.close();
  });

  test('snapshot saves the current picture of a camera, and states its time', async () => {
    const file = path.join(dir, 'one.jpg');
    const { code, stdout } = await vigil('snapshot', 'one', file, '--json');
    assert.equal(code, 0);
    const said = JSON.parse(stdout.toString()) as { file: string; capturedAt: number; bytes: number };
    assert.ok(Math.abs(Date.now() - said.capturedAt) < 10_000);
    const bytes = readFileSync(file);
    assert.deepEqual([said.file, said.bytes], [file, bytes.length]);
    const { format, width } = await sharp(bytes).metadata();
    assert.deepEqual([format, width], ['jpeg', 320]);
    assert.deepEqual(
      readdirSync(dir).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  test('snapshot writes the picture, and nothing else, to standard output', async () => {
    const { code, stdout } = await vigil('snapshot', 'one', '-');
    assert.equal(code, 0);
    const { format, height } = await sharp(stdout).metadata();
    assert.deepEqual([format, height], ['jpeg', 180]);
  });

  test('snapshot writes nothing if there is no current picture, and says why', async () => {
    const file = path.join(dir, 'none.jpg');
    for (const [id, code, why] of [
      ['gone', 69, /^vigil: there is no picture of gone: .*refuse.*\n$/],
      ['off', 69, /^vigil: there is no picture of off: it is disabled\n$/],
      ['nobody', 2, /^vigil: the configuration has no camera "nobody"\n$/],
    ] as const) {
      const ended = await vigil('snapshot', id, file);
      assert.equal(ended.code, code);
      assert.match(ended.stderr, why);
      assert.ok(!existsSync(file));
    }
    const ended = await vigil('snapshot', 'one', path.join(dir, 'no/folder.jpg'));
    assert.equal(ended.code, 69);
    assert.match(ended.stderr, /folder\.jpg cannot be written \(ENOENT\)\n$/);
  });

  test('status --watch is redrawn in place, follows the terminal’s size and restores the screen', async () => {
    const watching = ['status', '--watch', '--config', path.join(dir, 'actors.json')];
    const sized = [
      'sh',
      '-c',
      'stty cols 70 rows 9 <&1; exec "$@"',
      'sh',
      process.execPath,
      MAIN,
      ...watching,
    ];
    const terminal = spawn('python3', [path.resolve(__dirname, '../../lab/terminal.py'), ...sized], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '' },
    });
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    const exited = once(terminal, 'exit');
    const drawings = () => shown.split(ESC + '[H').slice(1);
    const newest = () => drawings().at(-1) ?? '';
    try {
      await waitUntil('it is drawn three times', () => drawings().length >= 3);
      const pid = Number(shown.split('\n')[0]);
      assert.equal(shown.split(`${ESC}[?1049h`).length, 2, 'one alternate screen');
      assert.ok(!shown.includes(`${ESC}[2J`), 'nothing is cleared before it is drawn');
      assert.match(shown, new RegExp(`${ESC}\\[32mrunning${ESC}\\[39m`));
      for (const drawing of drawings().slice(0, 2)) {
        const lines = drawing.split(/\r+\n/);
        assert.equal(lines.length, 9);
        assert.match(lines[8] ?? '', /^\(\d+ more lines: make the terminal higher, or show less\)/);
      }
      const isPaused = () => shown.endsWith(`${ESC}[?1049l`);
      process.kill(pid, 'SIGTSTP');
      await waitUntil('Ctrl-Z restores the screen', isPaused);
      await run('stty', ['-F', `/proc/${pid}/fd/1`, 'cols', '120', 'rows', '50']);
      process.kill(pid, 'SIGWINCH');
      process.kill(pid, 'SIGCONT');
      await waitUntil('it is as high as the terminal', () => /CAMERA [^]*gone [^]*\[J/.test(newest()));
      assert.ok(!newest().includes('more lines'));
      process.kill(pid, 'SIGINT');
      const [code] = (await exited) as [number];
      assert.deepEqual([code, isPaused()], [0, true]);
    } finally {
      terminal.kill('SIGTERM');
    }
  });

  test('status --watch is refused without a terminal', async () => {
    const { code, stdout, stderr } = await vigil('status', '--watch');
    assert.deepEqual([code, stdout.length], [2, 0]);
    assert.match(stderr, /^vigil: --watch redraws a terminal, and standard output is none[^\n]*\n$/);
  });

  test('snapshot never takes an old picture for the current one', async () => {
    const [, ...others] = cameras;
    daemon.edit({ ...config, cameras: [{ id: 'one', url: 'rtsp://127.0.0.1:1/live' }, ...others] });
    const file = path.join(dir, 'old.jpg');
    await waitUntil(
      'its picture is old',
      async () => {
        rmSync(file, { force: true });
        const { code, stderr } = await vigil('snapshot', 'one', file);
        if (code === 0) return false;
        assert.equal(code, 69);
        assert.match(stderr, /^vigil: the newest picture of one is \d+ s old, more than 10 s: .*refuse/);
        assert.ok(!existsSync(file));
        return true;
      },
      60_000,
    );
  });
});
