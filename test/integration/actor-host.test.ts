/** The actor host on top of comedy: actors start, communicate, stop, and leave nothing behind. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { withDeadline } from '../../src/clock/sleep';
import { openLog } from '../../src/log/log';
import type { ActorReport } from '../../src/protocol/messages';
import { ActorHost } from '../../src/comedy/host';
import type { ActorSpec } from '../../src/comedy/hosted-actor';
import { descendants } from '../../lab/daemon';
import { isAlive, waitUntil } from '../../lab/process';

/** The path of a misbehaving actor, a small real module. */
const fixture = (name: string): string => path.resolve(__dirname, '../fixtures/actors', name);

/** The pids of actors below this process. */
const workers = (): number[] =>
  descendants(process.pid).filter((pid) =>
    readFileSync(`/proc/${pid}/cmdline`).includes('forked-actor-worker'),
  );

describe('the actor host', () => {
  const reports: { name: string; report: ActorReport }[] = [];
  let onReport: ((name: string) => void) | undefined;
  let host: ActorHost;

  const start = (name: string, module: string, startMs = 20_000) => {
    const spec: ActorSpec = { name, module: fixture(module), mode: 'forked', parameters: {} };
    return host.start(spec, startMs);
  };

  before(async () => {
    host = await ActorHost.open(openLog('test', 'error'), 'error', (name, report) => {
      reports.push({ name, report });
      onReport?.(name);
    });
  });

  after(async () => {
    await host.close();
    assert.deepEqual(workers(), []);
  });

  test('messages still reach an actor while it stops and waits for them', async () => {
    const actor = await start('drains', 'drains');
    actor.begin();
    const stopped = actor.stop(5000);
    await waitUntil('it asks while stopping', () => reports.some(({ name }) => name === 'drains'));
    actor.send({ kind: 'notifier-ready' });
    const startedAt = Date.now();
    await stopped;
    assert.ok(Date.now() - startedAt < 2500, 'it did not run into its deadline');
    assert.ok(!isAlive(actor.pid));
  });

  test('an actor that never finishes stopping is killed after its deadline', async () => {
    const actor = await start('never-stops', 'never-stops');
    actor.begin();
    await actor.stop(300);
    assert.ok(!isAlive(actor.pid));
  });

  test('a stopped (SIGSTOP) actor is killed after its deadline too', async () => {
    const actor = await start('frozen', 'drains');
    actor.begin();
    process.kill(actor.pid, 'SIGSTOP');
    await actor.stop(300);
    assert.ok(!isAlive(actor.pid));
  });

  test('a process that ends before it is ready is noticed at once', async () => {
    const starting = start('dies-early', 'drains');
    await waitUntil('it is forked', () => workers().length > 0);
    for (const pid of workers()) process.kill(pid, 'SIGKILL');
    await assert.rejects(withDeadline(starting, 5000), { code: 'actor-start', message: /ended by SIGKILL/ });
  });

  test('an actor that is not ready within its deadline is killed, and its name can be used again', async () => {
    await assert.rejects(start('slow', 'drains', 1), {
      code: 'actor-start',
      message: /was not ready within 1 ms/,
    });
    const actor = await start('slow', 'drains');
    process.kill(actor.pid, 'SIGKILL');
    assert.equal((await actor.exited).signal, 'SIGKILL');
  });

  for (const [module, what, code, message] of [
    ['blocks', 'whose event loop blocks', 'hung', /^sent no heartbeat for 2500 ms$/],
    ['stuck', 'that is alive and completes nothing', 'stuck', /^is alive but completed nothing for 500 ms$/],
    ['throws', 'that throws', 'crashed', /^ended with code \d+: TypeError: picture is not a function$/],
    [
      'throws-when-told',
      'that throws while it takes a message',
      'crashed',
      /^ended with code \d+: TypeError: frame is not a function$/,
    ],
  ] as const)
    test(`an actor ${what} ends, and its end says why`, async () => {
      const actor = await start(`fails-${module}`, module);
      actor.begin();
      actor.send({ kind: 'notifier-ready' });
      // A spinning process is judged by the time it ran, which takes longer on a busy machine.
      const exit = await withDeadline(actor.exited, 60_000);
      assert.equal(exit?.fault.code, code);
      assert.match(exit.fault.message, message);
      assert.ok(!isAlive(actor.pid));
    });

  test('an exception in the handler of a report is not swallowed', async () => {
    const errors: Error[] = [];
    process.setUncaughtExceptionCaptureCallback((error) => errors.push(error));
    onReport = (name) => {
      if (name === 'talks') throw new TypeError('child is not a function');
    };
    try {
      const actor = await start('talks', 'drains');
      actor.begin();
      await waitUntil('it is thrown', () => errors.length > 0);
      assert.equal(errors[0]?.message, 'child is not a function');
      process.kill(actor.pid, 'SIGKILL');
      await actor.exited;
    } finally {
      onReport = undefined;
      process.setUncaughtExceptionCaptureCallback(null);
    }
  });

  test('a process stopped during its start is detected at its deadline, and its last output is kept', async () => {
    const starting = start('stops-early', 'drains', 1000);
    await waitUntil('it is forked', () => workers().length > 0);
    for (const pid of workers()) process.kill(pid, 'SIGSTOP');
    await assert.rejects(withDeadline(starting, 10_000), {
      code: 'actor-start',
      message: 'did not start: was not ready within 1000 ms',
    });
    assert.deepEqual(workers(), []);
  });

  test('dead actors leave no listener, no timer and no reference', async () => {
    const listeners = process.listenerCount('exit');
    for (let i = 0; i < 3; i++) {
      const actor = await start('again', 'drains');
      process.kill(actor.pid, 'SIGKILL');
      await actor.exited;
    }
    await waitUntil('listeners have gone', () => process.listenerCount('exit') === listeners, 2000);
  });

  test('an actor does not inherit the secrets in the daemon’s environment', async () => {
    process.env['VIGIL_TEST_SECRET'] = 'hush';
    const actor = await start('env', 'drains');
    assert.doesNotMatch(readFileSync(`/proc/${actor.pid}/environ`, 'utf8'), /hush/);
    process.kill(actor.pid, 'SIGKILL');
    await actor.exited;
  });
});
