/** What is reported about a Redis's memory, and when. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryWatch, readMemory, type ServerMemory } from '../../../../src/actors/store/memory-watch';

const MIB = 1024 * 1024;

function server(changes: Partial<ServerMemory> = {}): ServerMemory {
  const healthy = { runId: 'a', uptimeS: 1000, policy: 'noeviction', maxBytes: 100 * MIB };
  return { ...healthy, usedBytes: 10 * MIB, machineBytes: 1000 * MIB, evicted: 0, ...changes };
}

function codes(watch: MemoryWatch, ...servers: ServerMemory[]): string[] {
  return watch.look(servers).faults.map(({ code }) => code);
}

describe('the memory of a Redis', () => {
  it('is read from its INFO', () => {
    const info =
      'run_id:abc\r\nuptime_in_seconds:12\r\nused_memory:2097152\r\nused_memory_human:2.00M\r\nmaxmemory:4194304\r\nmaxmemory_human:4.00M\r\nmaxmemory_policy:allkeys-lru\r\ntotal_system_memory:8388608\r\nevicted_keys:7\r\n';
    assert.deepEqual(readMemory(info), {
      runId: 'abc',
      uptimeS: 12,
      policy: 'allkeys-lru',
      maxBytes: 4 * MIB,
      usedBytes: 2 * MIB,
      machineBytes: 8 * MIB,
      evicted: 7,
    });
  });

  for (const policy of ['allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru', 'volatile-ttl'])
    it(`with ${policy} and a limit is a fault, even if it is set later, but not without a limit`, () => {
      const watch = new MemoryWatch('redis://:hush@host');
      assert.deepEqual(codes(watch, server()), []);
      assert.deepEqual(codes(watch, server({ policy, maxBytes: 0 })), []);
      const [fault] = watch.look([server({ policy })]).faults;
      assert.equal(fault?.code, 'redis-evicts');
      assert.match(fault.message, new RegExp(`maxmemory-policy ${policy}`));
      assert.doesNotMatch(fault.message, /hush/);
    });

  it('is accepted on a server that hides it', () =>
    assert.deepEqual(codes(new MemoryWatch('redis://host'), readMemory('')), []));

  it('counts what each server evicts from the first look on, across restarts and replacements', () => {
    const watch = new MemoryWatch('redis://host');
    const looks: [ServerMemory[], number][] = [
      [[server({ evicted: 500 }), server({ runId: 'b', evicted: 20 })], 0],
      [[server({ evicted: 503 }), server({ runId: 'b', evicted: 24 })], 7],
      // One restarted; the other was replaced by a server that has been running for a while.
      [[server({ runId: 'a2', uptimeS: 5, evicted: 2 }), server({ runId: 'c', evicted: 99 })], 2],
      [[server({ runId: 'a2', uptimeS: 10, evicted: 2 }), server({ runId: 'c', evicted: 100 })], 1],
    ];
    for (const [servers, evicted] of looks) assert.equal(watch.look(servers).evicted, evicted);
  });

  it('is reported when it fills up, and not again before it has emptied', () => {
    const watch = new MemoryWatch('redis://host');
    const used = (share: number) =>
      codes(watch, server({ usedBytes: share * 100 * MIB }), server({ runId: 'b' }));
    assert.deepEqual(used(0.8), []);
    assert.deepEqual(used(0.9), ['redis-filling']);
    assert.deepEqual(used(0.8), ['redis-filling']);
    assert.deepEqual(used(0.7), []);
    assert.deepEqual(used(0.8), []);
  });

  it('without a limit is reported when it takes too much of its machine', () => {
    const watch = new MemoryWatch('redis://host');
    assert.deepEqual(codes(watch, server({ maxBytes: 0, usedBytes: 400 * MIB })), []);
    const [fault] = watch.look([server({ maxBytes: 0, usedBytes: 510 * MIB })]).faults;
    assert.match(fault?.message ?? '', /has no maxmemory and uses 510 MiB of the 1000 MiB/);
  });
});
