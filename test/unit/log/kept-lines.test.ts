/** Lines kept for `logs`: the newest of each actor, within bounds, in the order they were written. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KeptLines } from '../../../src/log/kept-lines';

const bytesOf = (lines: readonly string[]) => lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);

describe('kept lines', () => {
  it('are the newest, oldest first, of one actor or of all', () => {
    const kept = new KeptLines();
    for (let i = 0; i < 6; i++) kept.add(i % 2 === 0 ? 'store' : 'camera:gate', `line ${i}`);
    assert.deepEqual(kept.last(3), ['line 3', 'line 4', 'line 5']);
    assert.deepEqual(kept.last(2, 'store'), ['line 2', 'line 4']);
    assert.deepEqual(kept.last(100, 'camera:gate'), ['line 1', 'line 3', 'line 5']);
    assert.deepEqual(kept.last(5, 'camera:none'), []);
  });

  it('about a camera include what the supervisor logs about it, but not about one whose name begins alike', () => {
    const kept = new KeptLines();
    kept.add('supervisor', 'camera:gate runs');
    kept.add('supervisor', '{"message":"camera:gate-2 runs"}');
    kept.add('supervisor', '{"message":"crash report for camera:gate written"}');
    kept.add('camera:gate-2', 'about camera:gate');
    kept.add('camera:gate', 'mine');
    assert.deepEqual(kept.last(9, 'camera:gate'), [
      'camera:gate runs',
      '{"message":"crash report for camera:gate written"}',
      'mine',
    ]);
  });

  it('of an actor that logs without end are at most 1000, and push out none of another', () => {
    const kept = new KeptLines();
    kept.add('camera:quiet', 'once');
    for (let i = 0; i < 50_000; i++) kept.add('camera:loud', `line ${i}`);
    assert.equal(kept.last(10_000, 'camera:loud').length, 1000);
    assert.deepEqual(kept.last(1, 'camera:loud'), ['line 49999']);
    assert.deepEqual(kept.last(1, 'camera:quiet'), ['once']);
  });

  it('take at most 256 KiB for an actor and 4 MiB in total, whatever their length and number', () => {
    const kept = new KeptLines();
    const long = '…'.repeat(20_000);
    for (let i = 0; i < 40; i++) kept.add('camera:long', long);
    assert.ok(bytesOf(kept.last(100, 'camera:long')) <= 256 * 1024);
    for (let i = 0; i < 2000; i++) kept.add(`camera:c${i % 500}`, `${i} ${'x'.repeat(10_000)}`);
    const all = kept.last(10_000);
    assert.ok(bytesOf(all) <= 4 * 1024 * 1024, String(bytesOf(all)));
    assert.ok(bytesOf(all) > 3 * 1024 * 1024, 'and no less than that allows');
    assert.equal(all.at(-1)?.slice(0, 5), '1999 ');
  });

  it('of removed actors are not kept forever', () => {
    const kept = new KeptLines();
    for (let i = 0; i < 3000; i++) kept.add(`camera:${i}`, 'x'.repeat(5000));
    assert.ok(kept.actors.length < 1000, String(kept.actors.length));
  });

  it('are passed to a follower, from then on, until it unsubscribes', () => {
    const kept = new KeptLines();
    const told: string[] = [];
    kept.add('store', 'before');
    const end = kept.follow((line) => told.push(line), 'store');
    kept.add('store', 'one');
    kept.add('notifier', 'of another');
    kept.add('store', 'two');
    end();
    kept.add('store', 'after');
    assert.deepEqual(told, ['one', 'two']);
  });
});
