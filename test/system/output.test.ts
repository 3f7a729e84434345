/** Output of the commands and of the daemon: whole, whoever reads it, and however it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openLog } from '../../src/log/log';
import { ledgerFileName, hourOf } from '../../src/ledger/file-names';
import { NO_FIGURES } from '../../src/supervisor/figures';
import type { DaemonStatus } from '../../src/control/protocol';
import { ControlSocket } from '../../src/control/server';
import { MAIN } from '../../lab/daemon';
import { listen, newNamespace, remoteServers } from '../../lab/events';
import { run, signalProcess, waitUntil } from '../../lab/process';

const CAMERAS = 4000;
const NOW = Date.now();
/** Some 500 KB of faults. */
const FAULTY = { cameras: Array.from({ length: 2500 }, () => ({ idd: 1, ratte: 1, fromat: 1 })) };

const STATUS: DaemonStatus = {
  pid: process.pid,
  startedAtMs: NOW,
  ready: true,
  delivery: { waiting: 0 },
  problems: [],
  configuration: { file: '/srv/actors.json', appliedAtMs: NOW },
  children: Array.from({ length: CAMERAS }, (_, i) => ({
    name: `camera:c${i}`,
    kind: 'camera' as const,
    state: 'running' as const,
    sinceMs: NOW,
    pid: 1000 + i,
    restarts: 0,
    lastFault: { code: 'crashed', message: 'ended by SIGKILL '.repeat(15), atMs: NOW },
  })),
};

interface End {
  readonly code: number;
  readonly output: string;
  readonly stderr: string;
}

describe('the output of a command', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-output-'));
  const dataDir = path.join(dir, 'data');
  const config = path.join(dir, 'actors.json');
  let socket: ControlSocket;

  before(async () => {
    mkdirSync(path.join(dataDir, 'ledger'), { recursive: true });
    writeFileSync(config, JSON.stringify(FAULTY));
    const second = Math.floor(NOW / 1000) - 60;
    const accounts = Array.from({ length: CAMERAS }, (_, account) =>
      JSON.stringify({ account, camera: `c${account}`, openedAt: second, periodMs: 1000 }),
    );
    const fates = { at: NOW, gap: [[`0-${CAMERAS - 1}`, second, second + 30, 'refused']] };
    const file = path.join(dataDir, 'ledger', ledgerFileName({ number: 1, hour: hourOf(NOW) }));
    writeFileSync(file, [...accounts, JSON.stringify(fates), ''].join('\n'));
    const refuse = () => assert.fail('it was asked');
    const control = {
      status: () => STATUS,
      cameras: () => [],
      figures: () => NO_FIGURES,
      queues: () => Promise.resolve({ kind: 'known' as const, queues: [] }),
      plan: () => ({
        start: STATUS.children.map(({ name }) => name.repeat(30)),
        stop: [],
        restart: [],
        adjust: [],
        leave: [],
      }),
      operations: { edit: refuse, camera: refuse, restart: refuse, probe: refuse },
    };
    socket = await ControlSocket.open(dataDir, control, openLog('test', 'error'));
  });

  after(async () => {
    await socket.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Runs a command with `reader`, a shell command, at the other end of both outputs' pipe. */
  async function piped(words: readonly string[], reader: string): Promise<End> {
    const [code, output] = [path.join(dir, 'code'), path.join(dir, 'output')];
    for (const file of [code, output]) rmSync(file, { force: true });
    const script = `{ "$@"; echo $? >"${code}"; } | (${reader}) >"${output}"`;
    const args = [process.execPath, MAIN, ...words, '--config', config, '--data-dir', dataDir];
    const { stderr } = await run('sh', ['-c', script, 'sh', ...args], 60_000);
    return {
      code: Number(readFileSync(code, 'utf8')),
      output: readFileSync(output, 'utf8'),
      stderr,
    };
  }

  const LONG: readonly (readonly [readonly string[], RegExp])[] = [
    [['status', '--json'], /\}\n$/],
    [['status'], /c3999 .*\nother queues: .*\n$/s],
    [['ledger', '--json'], /\}\n$/],
    [['ledger'], /c999 .*refused\n$/],
    [['plan', '--json'], /\}\n$/],
    [['plan'], /leave +nothing\n$/],
  ];
  // `plan` reads a configuration before it asks.
  for (const [words, end] of LONG) {
    test(`${words.join(' ')} reaches a slow reader to the last byte`, async () => {
      const { code, output, stderr } = await piped(words, 'sleep 1; cat');
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.ok(output.length > 400_000, `${output.length} bytes`);
      assert.ok(end.test(output), output.slice(-200));
      if (words.includes('--json')) JSON.parse(output);
    });

    test(`${words.join(' ')} into head ends quietly, with its own exit code`, async () => {
      const { code, output, stderr } = await piped(words, 'head -c 1');
      assert.equal(code, 0);
      assert.equal(output.length, 1);
      assert.equal(stderr, '');
    });

    test(`${words.join(' ')} onto a full disk is one sentence and no success`, async () => {
      const args = [process.execPath, MAIN, ...words, '--config', config, '--data-dir', dataDir];
      const { code, stderr } = await run('sh', ['-c', '"$@" >/dev/full', 'sh', ...args]);
      assert.equal(code, 69);
      assert.equal(stderr, 'vigil: standard output cannot be written: the disk is full (ENOSPC)\n');
    });
  }

  test('faults of a configuration reach a slow reader to the last byte', async () => {
    const args = [MAIN, 'check', '--config', config];
    const script = `{ "$@" 2>&1; echo $? >"${dir}/code"; } | (sleep 1; wc -c)`;
    const { stdout } = await run('sh', ['-c', script, 'sh', process.execPath, ...args]);
    assert.ok(Number(stdout.toString()) > 450_000, stdout.toString());
    assert.equal(readFileSync(`${dir}/code`, 'utf8'), '78\n');
  });

  test('a disk that takes only the beginning is a full disk', async (t) => {
    const mounted = path.join(dir, 'small');
    mkdirSync(mounted);
    const { code: mount } = await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mounted]);
    if (mount !== 0) {
      t.skip('tmpfs cannot be mounted here');
      return;
    }
    try {
      const script = `"$@" >"${mounted}/out"`;
      const args = [process.execPath, MAIN, 'status', '--json', '--data-dir', dataDir];
      const { code, stderr } = await run('sh', ['-c', script, 'sh', ...args]);
      assert.ok(statSync(`${mounted}/out`).size > 0);
      assert.equal(code, 69);
      assert.match(stderr, /^vigil: standard output cannot be written: the disk is full \(ENOSPC\)\n$/);
    } finally {
      await run('umount', [mounted]);
    }
  });
});

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

  test('of a bug reach a slow reader', async () => {
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

  test('of a bug are not waited for for ever', async () => {
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

  test('of a fatal configuration are whole, and do not hold it for ever', async () => {
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

  test('of a SIGTERM reach its reader: it says that it has stopped', async () => {
    const daemon = unread(config());
    await waitUntil('it runs', daemon.isReady, 30_000);
    daemon.child.kill('SIGTERM');
    assert.match(await daemon.read(), /"message":"stopped"[^\n]*\n$/);
    assert.equal(await daemon.exited, 0);
    daemon.remove();
  });
});

describe('a terminal whose output is stopped (Ctrl-S)', () => {
  test('holds up no daemon: it goes on, keeps a megabyte of its log, and says how much is missing', async () => {
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
      // Captured behind the flood: a daemon that waits for its terminal passes no frame on.
      const before = events.frames('cam').length;
      await events.gotFrames('cam', before + 5);
      assert.ok(!shown.includes('xxxxx'), 'nothing of it is shown while the terminal is stopped');
      terminal.kill('SIGHUP');
      const isShown = () => /\d+ lines of the log are missing here: nobody read them in time/.test(shown);
      await waitUntil('what was kept is shown', () => shown.split('xxxxx').length > 1000);
      // Said with the next line.
      writeFileSync(
        file,
        JSON.stringify({ namespace, ...remoteServers(), cameras: [camera, { ...camera, id: 'more' }] }),
      );
      await waitUntil('what was lost is said', isShown);
    } finally {
      terminal.kill('SIGHUP');
      terminal.kill('SIGTERM');
      assert.equal((await exited)[0], 0);
      await events.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
