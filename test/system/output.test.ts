/** The output of commands is whole, whoever reads it and however it ends. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openLog } from '../../src/log/log';
import { ledgerFileName, hourOf } from '../../src/ledger/file-names';
import { NO_FIGURES } from '../../src/supervisor/figures';
import type { DaemonStatus } from '../../src/control/protocol';
import { KeptLines } from '../../src/log/kept-lines';
import { ControlSocket } from '../../src/control/server';
import { MAIN } from '../../lab/daemon';
import { run } from '../../lab/process';

const CAMERAS = 4000;
const NOW = Date.now();
/** Gives about 500 KB of faults. */
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
      logs: { kept: new KeptLines(), names: () => [] },
      operations: { edit: refuse, camera: refuse, restart: refuse, probe: refuse },
    };
    socket = await ControlSocket.open(dataDir, control, openLog('test', 'error'));
  });

  after(async () => {
    await socket.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Runs a command with `reader`, a shell command, at the other end of both outputs' pipe. */
  async function piped(command: readonly string[], reader: string): Promise<End> {
    const [code, output] = [path.join(dir, 'code'), path.join(dir, 'output')];
    for (const file of [code, output]) rmSync(file, { force: true });
    const script = `{ "$@"; echo $? >"${code}"; } | (${reader}) >"${output}"`;
    const args = [process.execPath, MAIN, ...command, '--config', config, '--data-dir', dataDir];
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
  // `plan` reads a configuration before it contacts the daemon.
  for (const [command, end] of LONG) {
    test(`${command.join(' ')} reaches a slow reader to the last byte`, async () => {
      const { code, output, stderr } = await piped(command, 'sleep 1; cat');
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.ok(output.length > 400_000, `${output.length} bytes`);
      assert.ok(end.test(output), output.slice(-200));
      if (command.includes('--json')) JSON.parse(output);
    });

    test(`${command.join(' ')} into head ends quietly, with its own exit code`, async () => {
      const { code, output, stderr } = await piped(command, 'head -c 1');
      assert.equal(code, 0);
      assert.equal(output.length, 1);
      assert.equal(stderr, '');
    });

    test(`${command.join(' ')} onto a full disk fails with one sentence`, async () => {
      const args = [process.execPath, MAIN, ...command, '--config', config, '--data-dir', dataDir];
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

  test('a disk that accepts only the beginning counts as full', async (t) => {
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
