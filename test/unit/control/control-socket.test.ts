/** The daemon's socket: its owner's alone, in folders with any path, whatever a killed daemon left there. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { askDaemon } from '../../../src/control/client';
import { NO_FIGURES } from '../../../src/supervisor/figures';
import { EditFault } from '../../../src/config/edit/fault';
import { Fault } from '../../../src/fault/fault';
import { ConfigurationError } from '../../../src/config/faults';
import { CONTROL_SOCKET, type DaemonStatus } from '../../../src/control/protocol';
import { ControlSocket, type Control } from '../../../src/control/server';
import { keptLog } from '../../../lab/kept-log';
import { KeptLines } from '../../../src/log/kept-lines';

const ROOT = mkdtempSync(path.join(tmpdir(), 'vigil-socket-'));
after(() => rmSync(ROOT, { recursive: true, force: true }));

const STATUS: DaemonStatus = {
  pid: 1,
  startedAtMs: 2,
  ready: true,
  delivery: { waiting: 0 },
  problems: [],
  configuration: { file: '/srv/actors.json', appliedAtMs: 3 },
  children: [],
};
const QUEUES = { kind: 'unknown', message: 'not now' } as const;
const CAMERAS = [{ id: 'gate', enabled: true, periodMs: 1000 }];
const PLAN = { start: ['camera:new'], stop: [], restart: [], adjust: [], leave: [] };
const CONTROL: Control = {
  status: () => STATUS,
  cameras: () => CAMERAS,
  figures: () => NO_FIGURES,
  queues: () => Promise.resolve(QUEUES),
  logs: { kept: new KeptLines(), names: () => ['camera:gate'] },
  plan: ({ text, file }) => {
    if (text === 'bad') throw new ConfigurationError(file, [{ path: '$', problem: 'is bad' }]);
    return PLAN;
  },
  operations: {
    edit: async ({ edit }) => {
      if (edit.kind === 'remove')
        throw new EditFault('no-camera', 'there is none', [{ path: '$', problem: 'x' }]);
      return { etag: '"1"', created: true, plan: PLAN };
    },
    camera: async (id) => ({ settings: { id }, hidden: ['password'], etag: '"1"' }),
    restart: ({ camera }) => {
      if (camera === 'off') throw new Fault('camera-disabled', 'it is disabled');
    },
    probe: async () => Promise.reject(new Fault('too-many-probes', 'later')),
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

/** Leaves a socket without a listener, as a killed program does. */
async function leaveSocket(dir: string): Promise<void> {
  // A path short enough for a socket; to close a server removes what has the path it was given.
  const bound = path.join(ROOT, 'bound');
  const server = createServer().listen(bound);
  await once(server, 'listening');
  renameSync(bound, path.join(dir, CONTROL_SOCKET));
  server.close();
  await once(server, 'close');
}

describe('the control socket', () => {
  it('answers its requests, and can be opened by its owner alone', async () => {
    await withSocket(path.join(ROOT, 'a'), async (dir) => {
      assert.equal(statSync(path.join(dir, CONTROL_SOCKET)).mode & 0o777, 0o600);
      assert.deepEqual(await askDaemon(dir, '/status'), STATUS);
      assert.deepEqual(await askDaemon(dir, '/queues'), QUEUES);
      assert.deepEqual(await askDaemon(dir, '/cameras'), CAMERAS);
      assert.deepEqual(await askDaemon(dir, '/figures'), NO_FIGURES);
      assert.deepEqual(await askDaemon(dir, '/plan', { file: 'f', text: '{}' }), {
        kind: 'plan',
        plan: PLAN,
      });
      assert.deepEqual(await askDaemon(dir, '/plan', { file: 'f', text: 'bad' }), {
        kind: 'refused',
        file: 'f',
        refusal: 'invalid',
        faults: [{ path: '$', problem: 'is bad' }],
      });
    });
  });

  it('works in a folder whose path is longer than the limit for sockets', async () => {
    await withSocket(path.join(ROOT, 'long'.repeat(40)), async (dir) => {
      assert.equal(statSync(path.join(dir, CONTROL_SOCKET)).mode & 0o777, 0o600);
      assert.deepEqual(await askDaemon(dir, '/status'), STATUS);
    });
  });

  for (const [where, name] of [
    ['short', 'stale'],
    ['long', 'stale'.repeat(40)],
  ] as const)
    it(`replaces what a killed daemon left, in a ${where} path`, async () => {
      const dir = path.join(ROOT, name);
      mkdirSync(dir);
      await leaveSocket(dir);
      assert.ok(statSync(path.join(dir, CONTROL_SOCKET)).isSocket());
      await assert.rejects(askDaemon(dir, '/status'), { code: 'no-daemon' });
      await withSocket(dir, async () => {
        assert.deepEqual(await askDaemon(dir, '/status'), STATUS);
      });
    });

  it('replaces any file of its name', async () => {
    const dir = path.join(ROOT, 'file');
    mkdirSync(dir);
    writeFileSync(path.join(dir, CONTROL_SOCKET), '');
    await withSocket(dir, async () => {
      assert.deepEqual(await askDaemon(dir, '/status'), STATUS);
    });
  });

  it('leaves the permissions of all other files as they were', async () => {
    const dir = path.join(ROOT, 'rights');
    const made = (name: string) => {
      mkdirSync(path.join(dir, name), { recursive: true });
      return statSync(path.join(dir, name)).mode;
    };
    const before = made('before');
    const opening = ControlSocket.open(dir, CONTROL, keptLog());
    assert.equal(made('meanwhile'), before);
    await (await opening).close();
    assert.equal(made('afterwards'), before);
  });

  it('closes at once, whichever clients are connected, and leaves no file open', async () => {
    const dir = path.join(ROOT, 'close');
    mkdirSync(dir);
    const socket = await ControlSocket.open(dir, CONTROL, keptLog());
    const lingering = connect(path.join(dir, CONTROL_SOCKET));
    await once(lingering, 'connect');
    lingering.write('GET /status HTTP/1.1\r\nHost: vigil\r\n');
    const gone = new Promise((resolve) => lingering.on('error', resolve).on('close', resolve));
    await socket.close();
    await gone;
    assert.ok(!existsSync(path.join(dir, CONTROL_SOCKET)));
    await assert.rejects(askDaemon(dir, '/status'), { code: 'no-daemon' });
  });

  it('belongs to one daemon at a time: its previous path leads nowhere', async () => {
    const dir = path.join(ROOT, 'again');
    for (let i = 0; i < 3; i++)
      await withSocket(dir, async () => {
        assert.deepEqual(await askDaemon(dir, '/status'), STATUS);
      });
    await assert.rejects(askDaemon(dir, '/status'), { code: 'no-daemon' });
  });

  it('refuses unknown requests, and survives nonsense and floods', async () => {
    await withSocket(path.join(ROOT, 'b'), async (dir) => {
      await assert.rejects(askDaemon(dir, '/nothing'), { code: 'daemon-refused' });
      await assert.rejects(askDaemon(dir, '/plan', null), { code: 'daemon-refused' });
      const flood = { file: 'f', text: 'x'.repeat(17_000_000) };
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
