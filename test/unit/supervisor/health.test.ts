/** When the daemon is considered unhealthy, and what it reports then. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deliveryOf, problemsOf, type Observed } from '../../../src/supervisor/health';
import type { ChildStatus } from '../../../src/supervisor/status';

const NOW = 1_700_000_000_000;
const base = { state: 'running', sinceMs: NOW, restarts: 0 } as const;
const store: ChildStatus = { ...base, name: 'store', kind: 'store' };
const notifier: ChildStatus = { ...base, name: 'notifier', kind: 'notifier' };
const gate: ChildStatus = {
  ...base,
  ...{ name: 'camera:gate', kind: 'camera' },
  feed: { camera: 'gate', state: 'streaming', sinceMs: NOW },
};
const off: ChildStatus = {
  ...gate,
  ...{ name: 'camera:off', state: 'quarantined' },
  feed: { camera: 'off', state: 'quarantined', sinceMs: NOW },
};
const well: Observed = {
  ready: true,
  configuration: { file: '/srv/actors.json', appliedAtMs: NOW },
  children: [notifier, store, gate],
  delivery: { waiting: 0, lastConfirmAtMs: NOW - 500 },
};
const fault = { code: 'redis-away', message: 'redis://r/ refuses the connection; frames wait in the spool' };

describe('a daemon is', () => {
  const rows: readonly [string, Partial<Observed>, readonly string[]][] = [
    ['healthy while frames are confirmed', {}, []],
    [
      'healthy with frames on their way',
      { delivery: { waiting: 9, oldestWaitingMs: 400, lastConfirmAtMs: NOW } },
      [],
    ],
    ['healthy without cameras', { children: [notifier, store] }, []],
    ['healthy with a camera that is off', { children: [notifier, store, gate, off] }, []],
    [
      'healthy while a backlog is being delivered',
      { delivery: { waiting: 5000, oldestWaitingMs: 600_000, lastConfirmAtMs: NOW - 100 } },
      [],
    ],
    [
      'unhealthy before Redis and RabbitMQ have answered',
      { ready: false },
      ['not ready yet: Redis and RabbitMQ have not both answered since the start'],
    ],
    [
      'unhealthy while a server takes nothing, and says why',
      { delivery: { waiting: 3, fault } },
      [`frames are not delivered: ${fault.message}`],
    ],
    [
      'unhealthy when nothing is confirmed for long, whatever the servers say',
      { delivery: { waiting: 3, oldestWaitingMs: 10_001, lastConfirmAtMs: NOW - 10_001 } },
      ['frames are not delivered: none was confirmed for more than 10 s, and no server says why'],
    ],
    [
      'unhealthy when nothing was ever confirmed',
      { delivery: { waiting: 3, oldestWaitingMs: 10_001 } },
      ['frames are not delivered: none was confirmed for more than 10 s, and no server says why'],
    ],
    [
      'unhealthy while what it cannot do without is down',
      {
        children: [
          {
            ...store,
            state: 'waiting',
            lastFault: { code: 'crashed', message: 'ended by SIGKILL', atMs: NOW },
          },
          gate,
        ],
      },
      ['store is waiting: it ended by SIGKILL'],
    ],
    [
      'unhealthy when no camera delivers pictures',
      { children: [store, off] },
      ['no camera delivers pictures'],
    ],
    [
      'unhealthy when it runs by an older file than the one that is there',
      { configuration: { ...well.configuration, faults: [{ path: '$', problem: 'is not JSON' }] } },
      ['/srv/actors.json is not valid'],
    ],
    [
      'unhealthy when it cannot change to the file that is there',
      {
        configuration: {
          ...well.configuration,
          refusal: 'not-applied' as const,
          faults: [{ path: '$.redis', problem: 'changes only with the daemon' }],
        },
      },
      ['/srv/actors.json is valid, but cannot be applied to the running daemon'],
    ],
  ];
  for (const [what, changes, problems] of rows)
    it(what, () => assert.deepEqual(problemsOf({ ...well, ...changes }, NOW), problems));
});

describe('the delivery', () => {
  const beat = { done: 1, memoryBytes: 1, atMs: NOW };

  it('is what the store reported last', () => {
    const heartbeat = { ...beat, fault, facts: { waiting: 7, oldestWaitingMs: 4200 } };
    assert.deepEqual(deliveryOf([{ ...store, heartbeat }], NOW), {
      ...{ lastConfirmAtMs: NOW, waiting: 7, oldestWaitingMs: 4200, fault },
    });
  });

  it('names the problem of the notifier if the store knows nothing', () => {
    const children = [{ ...notifier, heartbeat: { ...beat, fault, facts: {} } }, store];
    assert.deepEqual(JSON.parse(JSON.stringify(deliveryOf(children, undefined))), { waiting: 0, fault });
  });
});
