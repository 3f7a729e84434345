/** The daemon's socket: its owner's alone, in folders with any path, whatever a killed daemon left there. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { askDaemon } from '../../src/commands/ask-daemon';
import { ConfigurationError } from '../../src/config/faults';
import {
  CONTROL_SOCKET,
  ControlSocket,
  type Control,
  type DaemonStatus,
} from '../../src/supervisor/control-socket';
import { keptLog } from './support/kept-log';

const ROOT = mkdtempSync(path.join(tmpdir(), 'vigil-socket-'));
after(() => {
  rmSync(ROOT, { recursive: true, force: true });
});

const STATUS: DaemonStatus = {
  pid: 1,
  startedAtMs: 2,
  ready: true,
  configuration: { file: '/srv/actors.json', appliedAtMs: 3 },
  children: [],
};
const PLAN = { start: ['camera:new'], stop: [], restart: [], adjust: [], leave: [] };
const CONTROL: Control = {
  status: () => STATUS,
  plan: ({ text, file }) => {
    if (text === 'bad') throw new ConfigurationError(file, [{ path: '$', problem: 'is bad' }]);
    return PLAN;
  },
};

async function withSocket(dir: string, work: (dir: string) => Promise<void>): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const socket = await ControlSocket.open(dir, CONTROL, keptLog());
  try {
    await work(dir);
  } finally {
    await socket.close();
  }
  assert.ok(!existsSync(path.join(dir, CONTROL_SOCKET)));
}

describe('the control socket', () => {
  it('answers its questions, and can be opened by its owner alone', async () => {
    await withSocket(path.join(ROOT, 'a'), async (dir) => {
      assert.equal(statSync(path.join(dir, CONTROL_SOCKET)).mode & 0o777, 0o600);
      assert.deepEqual(await askDaemon(dir, '/status'), STATUS);
      assert.deepEqual(await askDaemon(dir, '/plan', { file: 'f', text: '{}' }), {
        kind: 'plan',
        plan: PLAN,
      });
      assert.deepEqual(await askDaemon(dir, '/plan', { file: 'f', text: 'bad' }), {
        kind: 'refused',
        file: 'f',
        faults: [{ path: '$', problem: 'is bad' }],
      });
    });
  });

  it('works in a folder whose path is longer than a socket’s may be', async () => {
    await withSocket(path.join(ROOT, 'long'.repeat(40)), async (dir) => {
      assert.deepEqual(await askDaemon(dir, '/status'), STATUS);
    });
  });

  it('takes the place of what a killed daemon left', async () => {
    const dir = path.join(ROOT, 'stale');
    mkdirSync(dir);
    writeFileSync(path.join(dir, CONTROL_SOCKET), '');
    await withSocket(dir, async () => {
      assert.deepEqual(await askDaemon(dir, '/status'), STATUS);
    });
  });

  it('refuses what it does not know, and survives nonsense and floods', async () => {
    await withSocket(path.join(ROOT, 'b'), async (dir) => {
      await assert.rejects(askDaemon(dir, '/nothing'), { code: 'daemon-refused' });
      await assert.rejects(askDaemon(dir, '/plan', null), { code: 'daemon-refused' });
      const flood = { file: 'f', text: 'x'.repeat(20_000_000) };
      await assert.rejects(askDaemon(dir, '/plan', flood));
      assert.deepEqual(await askDaemon(dir, '/status'), STATUS);
    });
  });

  for (const [where, dir] of [
    ['a folder without one', path.join(ROOT, 'none')],
    ['no folder', path.join(ROOT, 'nowhere', 'at-all')],
  ] as const)
    it(`${where}: no daemon runs, and the folder is named`, async () => {
      if (where === 'a folder without one') mkdirSync(dir);
      await assert.rejects(askDaemon(dir, '/status'), {
        code: 'no-daemon',
        message: new RegExp(`no daemon runs on ${dir}`),
      });
    });
});
