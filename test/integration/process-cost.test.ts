/** Processor time and memory of a process and its descendants, as reported by the kernel. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { costOf } from '../../src/actors/web/metrics/process-cost';
import { processorSeconds } from '../../src/os/processor-time';
import { waitUntil } from '../../lab/process';

describe('the cost of a process', () => {
  it('includes that of the programs it runs', async (t) => {
    const program =
      "require('child_process').spawn(process.execPath, ['-e', 'Buffer.alloc(4e7, 1); console.log(1); setInterval(() => 0, 1e6)'], { stdio: 'inherit' }); setInterval(() => 0, 1e6)";
    const child = spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    t.after(() => process.kill(-(child.pid ?? assert.fail()), 'SIGKILL'));
    await once(child.stdout, 'data');
    const { pid = 0 } = child;
    const costs = costOf([pid, process.pid, 999_999_999]);
    assert.deepEqual([...costs.keys()].sort(), [pid, process.pid].sort());
    const own = costs.get(process.pid) ?? assert.fail();
    const tree = costs.get(pid) ?? assert.fail();
    // Two Node processes, one of which allocates 40 MB.
    assert.ok(tree.memoryBytes > 80_000_000 && tree.memoryBytes < 1_000_000_000, String(tree.memoryBytes));
    assert.ok(own.memoryBytes > tree.memoryBytes && own.processorS > tree.processorS && tree.processorS > 0);
  });
});

describe('processor time', () => {
  it('counts a process with its children, running and ended', async () => {
    // A loop measured in processor time: on a busy machine the same wall time would give less.
    const burn = 'while (process.cpuUsage().user < 3e5);';
    const program = `const {spawnSync,spawn}=require('child_process');spawnSync(process.execPath,['-e',${JSON.stringify(burn)}]);spawn(process.execPath,['-e',${JSON.stringify(`${burn}setInterval(()=>0,1000)`)}]);setInterval(()=>0,1000)`;
    const child = spawn(process.execPath, ['-e', program], { stdio: 'ignore', detached: true });
    try {
      const enough = () => (processorSeconds(child.pid ?? 0) ?? 0) > 0.4;
      await waitUntil('both count', enough);
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await once(child, 'exit');
    }
    assert.equal(processorSeconds(child.pid ?? 0), undefined);
  });
});
