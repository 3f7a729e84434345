/** What the kernel reports about a process: how long it waited for a processor, and what it waits for now. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { KERNEL } from '../../src/os/process-activity';
import { spawnOwned, waitUntil, type OwnedProcess } from '../../lab/process';

describe('process activity reported by the kernel', () => {
  it('includes the time it waits while others have the processor', async () => {
    // Pinned to one processor, each of four that spin gets a quarter of it.
    const spinning = await Promise.all(
      Array.from({ length: 4 }, () => spawnOwned('taskset', ['-c', '0', 'sh', '-c', 'while :; do :; done'])),
    );
    const waited = (pid: number) => KERNEL.times(pid)?.waitedMs ?? 0;
    try {
      const [{ pid }] = spinning as [OwnedProcess];
      await waitUntil('it has waited', () => waited(pid) > 100, 10_000);
      process.kill(pid, 'SIGSTOP');
      // It waits once more for a processor, to handle the signal.
      await waitUntil('it has stopped', () => KERNEL.activity(pid)?.state === 'other');
      const { pid: other } = spinning[1] ?? { pid: 0 };
      const [stopped, others] = [waited(pid), waited(other)];
      await waitUntil('the others have waited more', () => waited(other) > others + 100, 10_000);
      assert.ok(waited(pid) - stopped < 50, 'one that is stopped waits for nothing');
    } finally {
      for (const program of spinning) program.signal('SIGKILL');
      await Promise.all(spinning.map(({ exited }) => exited));
    }
  });

  it('is known for a running process', () => {
    const seen = KERNEL.activity(process.pid);
    assert.ok(seen !== undefined && seen.waitedMs >= 0 && seen.ranMs > 0);
    assert.equal(seen.state, 'runnable', 'as it asks about itself');
  });

  it('reports a process that is blocked until its own thread gets a processor as held', async () => {
    // A child whose main thread waits, within the code, for a thread that spins.
    const script = `
      const { Worker } = require('node:worker_threads');
      const shared = new Int32Array(new SharedArrayBuffer(4));
      new Worker('for (;;);', { eval: true }).once('online', () => {
        process.stdout.write('waits', () => Atomics.wait(shared, 0, 0));
      });`;
    const child = await spawnOwned(process.execPath, ['-e', script]);
    try {
      await once(child.stdout, 'data');
      await waitUntil('it is held', () => KERNEL.activity(child.pid)?.state === 'held');
      process.kill(child.pid, 'SIGSTOP');
      await waitUntil('it is stopped', () => KERNEL.activity(child.pid)?.state === 'other');
    } finally {
      child.signal('SIGKILL');
      await child.exited;
    }
  });

  it('is undefined for a process that does not exist', () => {
    assert.equal(KERNEL.activity(2 ** 30), undefined);
    assert.equal(KERNEL.times(2 ** 30), undefined);
  });
});
