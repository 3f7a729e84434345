/** Where a quorum queue believes it is stored, in a data directory that was copied or moved. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { placedAt, placeQuorumQueues } from '../../../src/embedded/quorum-files';

/** Abridged from RabbitMQ 3.10.8. */
const config = (place: string) => `#{cluster_name => '%2F_v.detection',
  machine => {module,rabbit_fifo,#{max_bytes => 1,name => '%2F_v.detection'}},
  system_config =>
      #{data_dir =>
            ${place},
        name => quorum_queues,
        wal_data_dir =>
            ${place},
        wal_max_size_bytes => 536870912},
  uid => <<"2F_VDEU4EWR2R28I5N">>}.`;

describe("a quorum queue's folder", () => {
  for (const [how, place] of [
    ['in quotes', '"/old/place"'],
    ['with quotes and braces of its own', String.raw`"/old/\"pl\\ace\"} =>"`],
    ['by its characters', '[47,116,109,112,228,\n             26085]'],
    ['in bytes that are no UTF-8', '"/old/d\xe4"'],
    ['as a binary', '<<"/old/place"/utf8>>'],
    ['as the bytes of a binary', '<<47,111,\n  108>>'],
  ] as const)
    it(`written ${how} is replaced, and nothing else`, () => {
      const like = place.startsWith('<<') ? '<<47,110,195,182>>' : '[47,110,246]';
      assert.equal(placedAt('/nö', config(place)), config(like));
    });

  it('is written once: what is right already is left alone', () => {
    const placed = placedAt('/here', config('"/old"'));
    assert.equal(placedAt('/here', placed), placed);
  });

  it('is set for every queue of every Raft system, whatever else lies there', (t) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'vigil-quorum-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const node = 'vigil@localhost';
    const files = ['quorum', 'coordination'].map((system) => path.join(dir, system, node, 'Q1', 'config'));
    for (const file of files) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, config('"/old"'));
    }
    mkdirSync(path.join(dir, 'quorum', node, 'unfinished'));
    mkdirSync(path.join(dir, 'msg_stores', 'vhosts'), { recursive: true });
    writeFileSync(path.join(dir, 'quorum', node, '00000001.wal'), 'data_dir => "/old"');
    placeQuorumQueues(dir, node);
    for (const file of files) {
      const here = path.dirname(path.dirname(file));
      assert.equal(readFileSync(file, 'latin1'), placedAt(here, config('"/old"')));
    }
    assert.equal(readFileSync(path.join(dir, 'quorum', node, '00000001.wal'), 'utf8'), 'data_dir => "/old"');
    placeQuorumQueues(path.join(dir, 'absent'), node);
  });
});
