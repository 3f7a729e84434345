/** A server program's last output: whole lines, even if it ends at once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerProcess } from '../../src/embedded/server-process';
import { keptLog } from '../../lab/kept-log';

function server(script: string) {
  const log = keptLog();
  const command = {
    name: 'server',
    program: 'sh',
    args: ['-c', script],
    env: { PATH: process.env['PATH'] },
    cwd: '/',
    onParentDeath: 'KILL' as const,
  };
  return { log, server: new ServerProcess(command, log) };
}

const never = async () => Promise.reject(new Error('it does not answer'));

describe('the last output of a server', () => {
  it('consists of whole lines even if its writes end within them', async () => {
    // The second write comes when the first has been read: the pipe is empty then.
    const { server: torn } = server(`
      printf 'cannot open the app'; printf 'pend-only' >&2; sleep 0.3
      printf 'end-only file\\n'; printf ' dir\\nno end' >&2`);
    await assert.rejects(torn.ready(never, 20_000), { code: 'service-start' });
    assert.deepEqual(torn.lastOutput().split(' | ').sort(), [
      'cannot open the append-only file',
      'no end',
      'pend-only dir',
    ]);
  });

  it('is kept if the server ends at once', async () => {
    for (let i = 0; i < 20; i++) {
      const { server: brief } = server(`echo 'bad configuration' >&2; exit 3`);
      await assert.rejects(brief.ready(never, 20_000), {
        code: 'service-start',
        message: 'server did not start: it ended with code 3; its last output: bad configuration',
      });
    }
  });
});
