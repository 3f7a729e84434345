/** What the answers of Sentinels mean for a client that is connected to a primary. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { objectionTo, readView, type SentinelView } from '../../../src/connections/sentinel-view';

const OLD = '10.0.0.1:6379';
const NEW = '10.0.0.2:6379';

function view(address: string, epoch: number, replacing = false): SentinelView {
  return { address, epoch, replacing, askedMs: 0 };
}

describe('a client of Sentinels', () => {
  const cases: readonly (readonly [
    string,
    string,
    readonly SentinelView[],
    'replaced' | 'replacing' | undefined,
  ])[] = [
    ['stays where no Sentinel has answered', OLD, [], undefined],
    ['stays where all name its server', OLD, [view(OLD, 1), view(OLD, 1)], undefined],
    ['leaves where all name another', OLD, [view(NEW, 2), view(NEW, 2)], 'replaced'],
    ['leaves where the newest names another', OLD, [view(OLD, 1), view(NEW, 2), view(OLD, 1)], 'replaced'],
    ['counts nothing while one replaces its server', OLD, [view(OLD, 1), view(OLD, 1, true)], 'replacing'],
    ['stays with the new one while others name the old', NEW, [view(OLD, 1), view(NEW, 2)], undefined],
    [
      'stays with the new one while the Sentinel that promoted it still names the old',
      NEW,
      [view(OLD, 2, true), view(NEW, 2), view(OLD, 1)],
      undefined,
    ],
    [
      'counts nothing at the new one before any Sentinel names it',
      NEW,
      [view(OLD, 1), view(OLD, 2, true)],
      'replacing',
    ],
  ];
  for (const [what, address, views, objection] of cases)
    test(what, () => {
      assert.equal(objectionTo(address, views), objection);
      assert.equal(objectionTo(address, views.toReversed()), objection, 'whoever answered first');
    });

  test('reads the answers of both protocols', () => {
    const fields = { name: 'mymaster', ip: '10.0.0.1', port: '6379', 'config-epoch': '7' };
    const read = { address: OLD, epoch: 7, replacing: false, askedMs: 5 };
    assert.deepEqual(readView({ ...fields, flags: 'master,s_down' }, 5), read);
    assert.deepEqual(readView([...Object.entries(fields).flat(), 'flags', 'master'], 5), read);
    const replacing = { ...fields, flags: 'master,s_down,o_down,failover_in_progress' };
    assert.deepEqual(readView(new Map(Object.entries(replacing)), 5), { ...read, replacing: true });
    for (const other of [null, 'OK', [], {}]) assert.equal(readView(other, 5), undefined);
  });
});
