/** Programs that cannot be started: reported, awaited, and never signalled. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, it } from 'node:test';
import { startChild, started, whyNotStarted } from '../../src/os/child-process';

const FIXTURE = path.resolve(__dirname, '../fixtures/out-of-descriptors.ts');

describe('a program that cannot be started', () => {
  it('for lack of descriptors is never signalled by any part of the code, and each says why', () => {
    // Run in a session of its own: a stray signal would end this process too.
    const { stdout, stderr } = spawnSync(
      'setsid',
      ['-w', 'sh', '-c', 'ulimit -n 64; exec "$0" --import tsx "$1"', process.execPath, FIXTURE],
      { encoding: 'utf8', timeout: 30_000 },
    );
    assert.notEqual(stdout, '', stderr);
    const { strays, said } = JSON.parse(stdout) as { strays: number; said: string[] };
    assert.equal(strays, 0);
    assert.equal(said.length, 5);
    for (const text of said) assert.match(text, /too many open files in this process; raise its limit/);
  });

  for (const [what, program, code] of [
    ['is not there', '/nowhere/program', 'ENOENT'],
    ['may not be run', '/etc/passwd', 'EACCES'],
    // Node throws this error instead of emitting it.
    ['gets more than the kernel takes', '/bin/true', 'E2BIG'],
  ] as const)
    it(`because it ${what} reports an error event, has no pid, and accepts no signal`, async () => {
      const args = code === 'E2BIG' ? ['x'.repeat(4_000_000)] : [];
      const child = startChild(program, args, { stdio: 'pipe' });
      const error = (await started(child)) as NodeJS.ErrnoException;
      assert.equal(error.code, code);
      assert.ok(whyNotStarted(error).includes(code));
      assert.equal(child.pid, undefined);
      assert.equal(child.kill('SIGKILL'), false);
    });
});

describe('a program that was started', () => {
  it('is signalled while it runs, and not after its end', async () => {
    const child = startChild('/bin/sleep', ['60'], { stdio: 'ignore' });
    assert.equal(await started(child), undefined);
    const exited = once(child, 'exit');
    assert.equal(child.kill('SIGTERM'), true);
    assert.deepEqual(await exited, [null, 'SIGTERM']);
    assert.equal(child.kill('SIGKILL'), false);
  });
});
