/** The daemon's output is whole, however slowly it is read, and no reader holds the daemon up. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { MAIN } from '../../lab/daemon';
import { listen, newNamespace, remoteServers } from '../../lab/events';
import { signalProcess, waitUntil } from '../../lab/process';

/** Gives about 500 KB of faults. */
const FAULTY = { cameras: Array.from({ length: 2500 }, () => ({ idd: 1, ratte: 1, fromat: 1 })) };

describe('the last lines of a daemon', () => {
  /** A daemon whose outputs are one pipe that is not read until `read` is called. */
  function unread(config: unknown) {
    const dir = mkdtempSync(path.join(tmpdir(), 'vigil-unread-'));
    const file = path.join(dir, 'actors.json');
    writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
    const args = [MAIN, '--config', file, '--data-dir', path.join(dir, 'data')];
    const require = path.resolve(__dirname, '../fixtures/floods-on-signal.cjs');
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: `--require ${require}` },
    });
    const exited = once(child, 'exit').then(([code]) => code as number | null);
    return {
      child,
      exited,
      isReady: () => existsSync(path.join(dir, 'data/endpoints.json')),
      read: async () => {
        let text = '';
        for (const stream of [child.stdout, child.stderr])
          stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        await once(child, 'close');
        return text;
      },
      remove: () => rmSync(dir, { recursive: true, force: true }),
    };
  }

  const config = () => ({
    namespace: newNamespace(),
    ...remoteServers(),
    cameras: [{ id: 'cam', test: 'testsrc2', width: 160 }],
  });

  test('after a bug reach a slow reader', async () => {
    const daemon = unread(config());
    await waitUntil('it runs', daemon.isReady, 30_000);
    daemon.child.kill('SIGUSR2');
    const code = await Promise.race([
      daemon.exited,
      new Promise((resolve) => setTimeout(resolve, 500, 'waits')),
    ]);
    assert.equal(code, 'waits');
    assert.match(await daemon.read(), /internal error, shutting down: the last words/);
    assert.equal(await daemon.exited, 70);
    daemon.remove();
  });

  test('after a bug do not hold up its exit forever', async () => {
    const daemon = unread(config());
    await waitUntil('it runs', daemon.isReady, 30_000);
    const begun = performance.now();
    daemon.child.kill('SIGUSR2');
    assert.equal(await daemon.exited, 70);
    assert.ok(performance.now() - begun < 10_000);
    assert.ok(performance.now() - begun > 1500, 'it gave its reader time');
    daemon.child.stdout.destroy();
    daemon.child.stderr.destroy();
    daemon.remove();
  });

  test('on an invalid configuration are whole, and do not hold up its exit forever', async () => {
    const slow = unread(FAULTY);
    const text = await slow.read();
    assert.ok(/cameras\[2499\](?:\.[a-z]+)?: [^\n]+\n$/.test(text), text.slice(-200));
    assert.equal(await slow.exited, 78);
    const stuck = unread(FAULTY);
    assert.equal(await stuck.exited, 78);
    for (const { child, remove } of [slow, stuck]) {
      child.stdout.destroy();
      child.stderr.destroy();
      remove();
    }
  });

  test('after SIGTERM reach its reader and say that it has stopped', async () => {
    const daemon = unread(config());
    await waitUntil('it runs', daemon.isReady, 30_000);
    daemon.child.kill('SIGTERM');
    assert.match(await daemon.read(), /"message":"stopped"[^\n]*\n$/);
    assert.equal(await daemon.exited, 0);
    daemon.remove();
  });
});

describe('a terminal whose output is stopped (Ctrl-S)', () => {
  test('does not block the daemon: it continues, keeps a megabyte of its log, and says how much is missing', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'vigil-terminal-'));
    const file = path.join(dir, 'actors.json');
    const namespace = newNamespace();
    const camera = { id: 'cam', test: 'testsrc2', width: 160 };
    writeFileSync(file, JSON.stringify({ namespace, ...remoteServers(), cameras: [camera] }));
    const dataDir = path.join(dir, 'data');
    const command = [process.execPath, MAIN, '--config', file, '--data-dir', dataDir];
    const require = path.resolve(__dirname, '../fixtures/logs-on-signal.cjs');
    const events = await listen(namespace);
    const terminal = spawn('python3', [path.resolve(__dirname, '../../lab/terminal.py'), ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: `--require ${require}` },
    });
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    const exited = once(terminal, 'exit');
    try {
      await events.gotFrames('cam', 1);
      const daemon = Number(shown.split('\n')[0]);
      terminal.kill('SIGUSR1');
      await waitUntil('it is stopped', () => shown.includes('(stopped)'));
      signalProcess(daemon, 'SIGUSR2');
      // Frames captured after the flood: a daemon that waits for its terminal passes none on.
      const before = events.frames('cam').length;
      await events.gotFrames('cam', before + 5);
      assert.ok(!shown.includes('xxxxx'), 'nothing of it is shown while the terminal is stopped');
      terminal.kill('SIGHUP');
      const isShown = () => /\d+ lines of the log are missing here: they were not read in time/.test(shown);
      await waitUntil('the kept lines are shown', () => shown.split('xxxxx').length > 1000);
      // The number of lost lines is reported with the next line, which this edit causes.
      writeFileSync(
        file,
        JSON.stringify({ namespace, ...remoteServers(), cameras: [camera, { ...camera, id: 'more' }] }),
      );
      await waitUntil('the lost lines are reported', isShown);
    } finally {
      terminal.kill('SIGHUP');
      terminal.kill('SIGTERM');
      assert.equal((await exited)[0], 0);
      await events.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
