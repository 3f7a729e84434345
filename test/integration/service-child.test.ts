/** The first start of an embedded server: a server killed meanwhile is restarted, one that cannot run is not. */
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ServerProcess } from '../../src/embedded/server-process';
import type { EmbeddedService } from '../../src/embedded/service';
import { serviceChild } from '../../src/supervisor/service-child';
import { SPEC } from '../../lab/child-bench';
import { temporaryFolder } from '../../lab/consumer-stage';
import { keptLog } from '../../lab/kept-log';
import { waitUntil } from '../../lab/process';

const MAX_RESTARTS = 3;

async function staged(t: TestContext, script: string) {
  const [dir, log] = [await temporaryFolder(t), keptLog()];
  const answers = path.join(dir, 'answers');
  let server: ServerProcess | undefined;
  const service: EmbeddedService = {
    ...{ name: 'redis', url: '', ownUrl: '' },
    start: async (startMs) => {
      const command = { program: 'sh', args: ['-c', script], env: { PATH: process.env['PATH'] }, cwd: dir };
      server = new ServerProcess({ ...command, name: 'server', onParentDeath: 'KILL' }, log);
      await server.ready(() => access(answers), startMs);
      return server;
    },
    stop: async (deadlineMs) => server?.stop(deadlineMs),
  };
  const escalated: string[] = [];
  const child = serviceChild(
    service,
    () => ({ ...SPEC, maxRestarts: MAX_RESTARTS }),
    log,
    ({ message }) => escalated.push(message),
  );
  t.after(() => child.stop());
  const said = () => log.lines.filter(([level]) => level === 'warn').map(([, message]) => message);
  return { child, said, escalated };
}

describe('the first start of an embedded server', () => {
  it('is repeated whenever the server is killed meanwhile', async (t) => {
    const { child, said } = await staged(
      t,
      'if [ -e a/b ]; then touch answers; exec sleep 60; fi; mkdir a || mkdir a/b; kill -9 $$',
    );
    await child.start();
    const sentence = /^server did not start: it ended by SIGKILL; .*; started again at once$/;
    assert.equal(said().length, 2);
    for (const line of said()) assert.match(line, sentence);
  });

  it('is repeated when the server is killed, and when it ends once', async (t) => {
    const { child, said } = await staged(
      t,
      'if [ -e a/b ]; then touch answers; exec sleep 60; fi; if [ -e a ]; then mkdir a/b; exit 1; fi; mkdir a; kill -9 $$',
    );
    await child.start();
    assert.equal(said().length, 2);
  });

  it('escalates when the server is killed repeatedly', async (t) => {
    const { child, said, escalated } = await staged(t, 'kill -9 $$');
    const started = child.start().catch(() => undefined);
    await waitUntil('it escalates', () => escalated.length > 0);
    await child.stop();
    await started;
    assert.equal(said().length, MAX_RESTARTS);
    assert.match(
      escalated.join(),
      /^redis: more than \d+ restarts while it starts, at last: server did not start/,
    );
  });

  it('fails when the server ends a second time', async (t) => {
    const { child, said } = await staged(t, 'echo "bad configuration" >&2; exit 3');
    await assert.rejects(child.start(), { code: 'service-start', message: /ended with code 3/ });
    assert.equal(said().length, 1);
  });

  it('fails at once if another process uses its data', async (t) => {
    const { child, said } = await staged(t, 'exit 75');
    await assert.rejects(child.start(), { code: 'service-start' });
    assert.deepEqual(said(), []);
  });
});
