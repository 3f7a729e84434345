/** The log over the control socket: its newest lines, those that come, and readers that do not read. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { text } from 'node:stream/consumers';
import { askLogs } from '../../../src/control/client';
import { CONTROL_SOCKET, type LogRequest } from '../../../src/control/protocol';
import { ControlSocket, type Control } from '../../../src/control/server';
import { KeptLines } from '../../../src/log/kept-lines';
import { keptLog } from '../../../lab/kept-log';
import { waitUntil } from '../../../lab/process';

const ROOT = mkdtempSync(path.join(tmpdir(), 'vigil-logs-'));
after(() => rmSync(ROOT, { recursive: true, force: true }));

async function serve(t: TestContext): Promise<{ dir: string; kept: KeptLines; socket: ControlSocket }> {
  const dir = mkdtempSync(path.join(ROOT, 'd-'));
  const kept = new KeptLines();
  const logs = { kept, names: () => ['camera:gate', 'camera:off'] };
  const socket = await ControlSocket.open(dir, { logs } as unknown as Control, keptLog());
  t.after(() => socket.close());
  return { dir, kept, socket };
}

async function lines(dir: string, asked: LogRequest): Promise<IncomingMessage> {
  const answer = await askLogs(dir, asked);
  assert.ok(!('names' in answer));
  return answer;
}

describe('the log over the control socket', () => {
  it('ends with the newest lines if it is not followed', async (t) => {
    const { dir, kept } = await serve(t);
    for (let i = 0; i < 5; i++) kept.add('store', `line ${i}`);
    assert.equal(await text(await lines(dir, { lines: 2, follow: false })), 'line 3\nline 4\n');
    assert.equal(await text(await lines(dir, { actor: 'camera:off', lines: 2, follow: false })), '');
  });

  it('of an unknown name has no lines: all names are returned', async (t) => {
    const { dir, kept } = await serve(t);
    kept.add('supervisor', 'starting');
    assert.deepEqual(await askLogs(dir, { actor: 'camera:gat', lines: 1, follow: false }), {
      names: ['supervisor', 'camera:gate', 'camera:off'],
    });
  });

  it('continues with every line, none twice, until the daemon ends, whose last lines arrive', async (t) => {
    const { dir, kept, socket } = await serve(t);
    kept.add('camera:gate', 'before');
    const answer = await lines(dir, { actor: 'camera:gate', lines: 9, follow: true });
    kept.add('camera:gate', 'after');
    kept.add('store', 'of another');
    const whole = text(answer);
    kept.add('camera:gate', 'last');
    await socket.close();
    assert.equal(await whole, 'before\nafter\nlast\n');
  });

  it('uses bounded memory if a client does not read, reports how many lines are missing, and holds up no other client', async (t) => {
    const { dir, kept } = await serve(t);
    const stuck = await lines(dir, { lines: 1, follow: true });
    stuck.pause();
    const total = 200_000;
    for (let i = 0; i < total; i++) kept.add('store', `${i} ${'x'.repeat(990)}`);
    assert.match(await text(await lines(dir, { lines: 1, follow: false })), new RegExp(`^${total - 1} x`));
    let got = '';
    stuck.setEncoding('utf8').on('data', (chunk: string) => (got += chunk));
    stuck.resume();
    await waitUntil('the rest has come, and the number of those that have not', () => {
      kept.add('store', 'end');
      return got.includes('log-lost');
    });
    stuck.destroy();
    const lost = Number(/"message":"(\d+) lines of the log are missing here/.exec(got)?.[1]);
    const came = got.split('\n').filter((line) => /^\d+ x/.test(line)).length;
    assert.ok(came < 5000, `${came} of ${total} were kept for it`);
    assert.ok(came + lost >= total && came + lost <= total + 1000, `${came} and ${lost}`);
  });

  it('is followed by at most 16 clients, and forgets those that have gone', async (t) => {
    const { dir, kept } = await serve(t);
    const asked = { lines: 1, follow: true };
    const following = await Promise.all(Array.from({ length: 16 }, () => lines(dir, asked)));
    await assert.rejects(askLogs(dir, asked), {
      code: 'daemon-refused',
      message: /16 others follow the log/,
    });
    for (const answer of following) answer.destroy();
    await waitUntil('there is room', async () => {
      const answer = await askLogs(dir, asked).catch(() => undefined);
      if (answer === undefined || 'names' in answer) return false;
      answer.destroy();
      return true;
    });
    kept.add('store', 'to nobody');
  });

  it('is refused to an invalid request', async (t) => {
    const { dir } = await serve(t);
    const asking = request({ socketPath: path.join(dir, CONTROL_SOCKET), path: '/logs', method: 'POST' });
    asking.end('{');
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    assert.equal(answer.statusCode, 400);
    answer.resume();
  });
});
