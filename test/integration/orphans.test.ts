/** Programs that end with the process that started them. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { dieWithParent, liveWithParent } from '../../src/os/orphans';
import { isAlive, waitUntil } from '../../lab/process';

const SAYS_HELLO = { program: '/bin/echo', args: ['hello', 'a "quoted" $word'] };

test('the program runs with its arguments unchanged, in the spawned process', () => {
  const { program, args } = liveWithParent('KILL', SAYS_HELLO);
  assert.equal(spawnSync(program, args, { encoding: 'utf8' }).stdout, 'hello a "quoted" $word\n');
  const self = liveWithParent('KILL', { program: '/bin/sh', args: ['-c', 'echo $$'] });
  const { pid, stdout } = spawnSync(self.program, self.args, { encoding: 'utf8' });
  assert.equal(Number(stdout), pid);
});

test('neither the program nor its children can gain privileges', () => {
  const tells = { program: '/bin/sh', args: ['-c', 'grep NoNewPrivs /proc/self/status'] };
  for (const wrapped of [liveWithParent('KILL', tells), dieWithParent('TERM', tells)])
    assert.match(spawnSync(wrapped.program, wrapped.args, { encoding: 'utf8' }).stdout, /^NoNewPrivs:\s*1$/m);
});

test('a program whose parent died before it could request the signal does not run', () => {
  const { program, args } = liveWithParent('KILL', SAYS_HELLO);
  // The shell in between stands for the process that adopts orphans: the parent is not the expected one.
  const { stdout, status } = spawnSync('/bin/sh', ['-c', '"$@"; exit $?', 'sh', program, ...args], {
    encoding: 'utf8',
  });
  assert.equal(stdout, '');
  assert.notEqual(status, 0);
});

for (const signal of ['KILL', 'TERM'] as const)
  test(`the program gets SIG${signal} when its parent is killed`, async () => {
    // A Node that starts the program, prints its pid, and waits to be killed.
    const script = `
      const { spawn } = require('node:child_process');
      const { liveWithParent } = require(${JSON.stringify(require.resolve('../../src/os/orphans'))});
      const { program, args } = liveWithParent('${signal}', { program: '/bin/sleep', args: ['60'] });
      console.log(spawn(program, args, { stdio: 'ignore' }).pid);
      setInterval(() => undefined, 1000);`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    assert.ok(isAlive(pid));
    parent.kill('SIGKILL');
    await waitUntil('the program has gone', () => !isAlive(pid), 10_000);
  });
