/** Which queues belong to others, and which remain from earlier configurations. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boundQueues, type BrokerBinding } from '../../../src/connections/bound-queues';
import { queuesLines } from '../../../src/commands/status-text';

const VIGIL = { namespace: 'v', own: ['v.detection'], names: ['v.detection'] };
const OWN = { 'v.detection': ['v.detection'], 'v.detection.dead': ['v.detection.dead'] };

/** A broker of queues with their messages, and of exchanges with what is bound to them; `>` before an exchange. */
function broker(
  queues: Readonly<Record<string, number>>,
  bound: Readonly<Record<string, readonly string[]>>,
) {
  return {
    bindings: (exchange: string): Promise<BrokerBinding[]> =>
      Promise.resolve(
        (bound[exchange] ?? []).map((to) =>
          to.startsWith('>') ? { to: to.slice(1), kind: 'exchange' } : { to, kind: 'queue' },
        ),
      ),
    queue: (name: string) =>
      Promise.resolve(queues[name] === undefined ? undefined : { messages: queues[name], consumers: 1 }),
  };
}

describe('the queues on a broker', () => {
  const own = { 'v.detection': 5, 'v.detection.dead': 0 };
  const rows: readonly [string, ReturnType<typeof broker>, typeof VIGIL, readonly unknown[]][] = [
    ['none but Vigil’s own', broker(own, OWN), VIGIL, []],
    [
      'one that another program bound to the shared exchange, twice',
      broker({ ...own, other: 7 }, { ...OWN, 'v.frames': ['other', 'other'] }),
      VIGIL,
      [['other', 'foreign', 7, ['v.frames']]],
    ],
    [
      'one that another program bound to all exchanges',
      broker(
        { ...own, other: 7 },
        { 'v.frames': ['other'], 'v.detection': ['v.detection', 'other'], 'v.detection.dead': ['other'] },
      ),
      VIGIL,
      [['other', 'foreign', 7, ['v.frames', 'v.detection', 'v.detection.dead']]],
    ],
    [
      'one behind an exchange of another program, which leads back',
      broker({ ...own, far: 1 }, { ...OWN, 'v.frames': ['>a'], a: ['>b', '>a'], b: ['far', '>v.frames'] }),
      VIGIL,
      [['far', 'foreign', 1, ['v.frames']]],
    ],
    [
      'a renamed one that is bound to nothing, and its dead letters; another that has gone',
      broker({ 'v.new': 0, 'v.detection': 9, 'v.detection.dead': 2 }, OWN),
      { ...VIGIL, own: ['v.new'], names: ['v.new', 'v.detection', 'v.gone'] },
      [
        ['v.detection', 'old', 9, ['v.detection']],
        ['v.detection.dead', 'old', 2, ['v.detection.dead']],
      ],
    ],
    [
      'a renamed one that is still bound but was not recorded',
      broker({ 'v.new': 0, 'v.detection': 9 }, { 'v.frames': ['v.detection'] }),
      { ...VIGIL, own: ['v.new'], names: [] },
      [['v.detection', 'old', 9, ['v.frames']]],
    ],
    ['one that was deleted during the check', broker(own, { ...OWN, 'v.frames': ['gone'] }), VIGIL, []],
  ];
  for (const [what, view, vigil, expected] of rows)
    it(`are ${what}`, async () => {
      const found = await boundQueues(view, vigil);
      assert.deepEqual(
        found.map(({ name, origin, messages, boundTo }) => [name, origin, messages, boundTo]),
        expected,
      );
    });

  it('are shown as a table, or with how to have them', () => {
    const other = { name: 'a', origin: 'foreign', messages: 7, consumers: 0, boundTo: ['v.frames'] } as const;
    const old = { name: 'b', origin: 'old', messages: 0, consumers: 1, boundTo: [] } as const;
    assert.deepEqual(queuesLines({ kind: 'known', queues: [other, old] }), [
      'QUEUE  DECLARED BY            MESSAGES  CONSUMERS  BOUND TO',
      'a      another service               7          0  v.frames',
      'b      earlier configuration         0          1  nothing',
    ]);
    assert.deepEqual(queuesLines({ kind: 'known', queues: [] }), ['other queues: none']);
    assert.deepEqual(queuesLines({ kind: 'unknown', message: 'set\nit' }), ['other queues: unknown; set it']);
  });
});
