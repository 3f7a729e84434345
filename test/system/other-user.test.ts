/** Commands run by another user than the daemon's: they say who may read its data, and how. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { KeptLines } from '../../src/log/kept-lines';
import { openLog } from '../../src/log/log';
import { ControlSocket } from '../../src/control/server';
import { MAIN, newDir } from '../../lab/daemon';

const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];

function asNobody(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('setpriv', [...AS_NOBODY, process.execPath, MAIN, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
    cwd: '/',
  });
  return { status, stdout, stderr };
}

const skip = asNobody('--version').status !== 0 && 'needs root, and a checkout that others may read';

describe("a command of another user than the daemon's", { skip }, () => {
  const dir = newDir();
  const config = path.join(dir, 'actors.json');
  const data = path.join(dir, 'data');
  let socket: ControlSocket;

  before(async () => {
    chmodSync(dir, 0o755);
    mkdirSync(path.join(data, 'ledger'), { recursive: true, mode: 0o700 });
    writeFileSync(config, JSON.stringify({ cameras: [] }));
    writeFileSync(path.join(data, 'endpoints.json'), '{}', { mode: 0o600 });
    const refuse = () => assert.fail('it was asked');
    socket = await ControlSocket.open(
      data,
      {
        logs: { kept: new KeptLines(), names: refuse },
        ...{ status: refuse, cameras: refuse, figures: refuse, queues: refuse, plan: refuse },
        operations: { edit: refuse, camera: refuse, restart: refuse, probe: refuse },
      },
      openLog('test', 'error'),
    );
  });

  after(() => socket.close());

  for (const command of ['status', 'plan', 'ledger', 'logs', 'process'])
    test(`${command} names the owner of the data directory and how to run it, exit 69`, () => {
      const { status, stdout, stderr } = asNobody(command, '--config', config);
      assert.equal(
        stderr,
        `vigil: ${data} is open to user "root" only; run this command as that user: sudo -u root ...\n`,
      );
      assert.equal(stdout, '');
      assert.equal(status, 69);
    });

  test('status names the socket if the folder is open to a group but the socket is not', () => {
    chmodSync(data, 0o755);
    const { status, stderr } = asNobody('status', '--config', config);
    chmodSync(data, 0o700);
    assert.match(stderr, /^vigil: .*\/vigil\.sock is open to user "root" only; /);
    assert.equal(status, 69);
  });

  test('a group that may read is named', () => {
    chmodSync(data, 0o750);
    const { status, stderr } = asNobody('ledger', '--config', config);
    chmodSync(data, 0o700);
    assert.match(
      stderr,
      /user "root" and members of group "root" only; .*, or add this user to the group\n$/,
    );
    assert.equal(status, 69);
  });

  for (const command of ['check', 'plan', 'process'])
    test(`${command} names the owner of a configuration that only its owner may read, exit 69`, () => {
      chmodSync(config, 0o600);
      const { status, stderr } = asNobody(command, '--config', config);
      chmodSync(config, 0o644);
      assert.match(stderr, new RegExp(`^vigil: ${config} is open to user "root" only; `));
      assert.equal(status, 69);
    });
});
