/** When a Redis Cluster counts as ready. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { describe, it } from 'node:test';
import type { Cluster } from 'ioredis';
import { withDeadline } from '../../../src/clock/sleep';
import { clusterWatchOf, watchPrimaries } from '../../../src/connections/cluster-watch';

type Primary = () => Promise<string>;

const sound: Primary = () => Promise.resolve('cluster_state:ok\r\n');
const down: Primary = () => Promise.resolve('cluster_state:fail\r\n');
const loading: Primary = () =>
  Promise.reject(Object.assign(new Error('LOADING Redis is loading'), { name: 'ReplyError' }));
const away: Primary = () => Promise.reject(new Error('Connection is closed.'));
const frozen: Primary = () => new Promise(() => undefined);

/** What the check answers; `open` when it never does. */
async function readiness(...primaries: readonly Primary[]): Promise<string> {
  const cluster = Object.assign(new EventEmitter(), {
    status: 'connecting',
    disconnect: () => undefined,
    nodes: () => primaries.map((cluster) => ({ cluster, ping: cluster })),
    readyCheck: (_callback: (error: Error | null) => void): void => undefined,
  });
  watchPrimaries(cluster as unknown as Cluster);
  const checked = new Promise<string>((resolve) =>
    cluster.readyCheck((error) => resolve(error?.message ?? 'ready')),
  );
  const answer = (await withDeadline(checked, 10_000)) ?? 'open';
  cluster.emit('end');
  return answer;
}

describe('a Cluster', { concurrency: true }, () => {
  for (const [what, primaries, expected] of [
    ['all primaries answer', [sound, sound, sound], /^ready$/],
    ['one refuses connections', [sound, away, sound], /^ready$/],
    ['all refuse connections', [away, away], /^Connection is closed\.$/],
    ['one is frozen', [sound, frozen, sound], /^CLUSTERDOWN: a primary does not answer$/],
    ['one is frozen and the others know of it', [frozen, down, down], /^CLUSTERDOWN/],
    ['one is frozen and the others load their data', [loading, frozen, loading], /^CLUSTERDOWN/],
    ['one says that it is down', [sound, down, sound], /^CLUSTERDOWN: the state of the cluster is fail$/],
  ] as const)
    it(`is ${expected.source === '^ready$' ? 'ready' : 'not ready, without a long wait,'} when ${what}`, async () => {
      assert.match(await readiness(...primaries), expected);
    });
});

describe('a write to a Cluster', { concurrency: true }, () => {
  const [first, second, successor] = [7001, 7002, 7003];
  const slots = (...ports: readonly number[]) =>
    ports.map((port, i) => [i * 8192, i * 8192 + 8191, ['h', port, 'id']]);

  /** Writes to two primaries, each of which reports who owns the slots. */
  async function write(
    takesMs: number,
    told: { first: () => Promise<unknown>; second: () => Promise<unknown> },
    /** Ports of the primaries that the client knows when the answer is there. */
    known = [first, second],
  ) {
    let asked = 0;
    let refreshes = 0;
    let ports = [first, second];
    const primary = (port: number, tell: () => Promise<unknown>) => ({
      options: { host: 'h', port },
      ping: () => Promise.resolve('PONG'),
      cluster: () => {
        asked += 1;
        return tell();
      },
    });
    const cluster = Object.assign(new EventEmitter(), {
      status: 'ready',
      disconnect: () => undefined,
      nodes: () => ports.map((port) => primary(port, port === second ? told.second : told.first)),
      refreshSlotsCache: () => (refreshes += 1),
    });
    watchPrimaries(cluster as unknown as Cluster);
    const watch = clusterWatchOf(cluster) ?? assert.fail();
    const outcome = await watch
      .settled(async () => {
        await setTimeout(takesMs);
        ports = known;
        return 'OK';
      })
      .catch((error: unknown) => (error as Error).message);
    cluster.emit('end');
    return { outcome, asked, refreshes };
  }

  const agree = () => Promise.resolve(slots(first, second));
  const replaced = () => Promise.resolve(slots(successor, second));
  const SLOW_MS = 600;

  it('that is answered soon counts, and no primary is asked', async () => {
    assert.deepEqual(await write(0, { first: replaced, second: replaced }), {
      outcome: 'OK',
      asked: 0,
      refreshes: 0,
    });
  });

  it('that is answered late counts if the primaries name themselves', async () => {
    assert.deepEqual(await write(SLOW_MS, { first: agree, second: agree }), {
      outcome: 'OK',
      asked: 2,
      refreshes: 0,
    });
  });

  it('that is answered late counts if none says who the primaries are', async () => {
    const silent = () => Promise.reject(new Error('Connection is closed.'));
    assert.equal((await write(SLOW_MS, { first: silent, second: silent })).outcome, 'OK');
  });

  it('that is answered late does not count if another primary names a successor', async () => {
    const { outcome, refreshes } = await write(SLOW_MS, { first: agree, second: replaced });
    assert.equal(outcome, 'CLUSTERDOWN: a primary is being replaced');
    assert.equal(refreshes, 1);
  });

  it('that is answered late does not count if the client has learned of the successor meanwhile', async () => {
    const { outcome } = await write(SLOW_MS, { first: replaced, second: replaced }, [successor, second]);
    assert.equal(outcome, 'CLUSTERDOWN: a primary is being replaced');
  });

  it('to nodes that leave out their own address counts', async () => {
    const nameless = () =>
      Promise.resolve([
        [0, 8191, ['', first, 'id']],
        [8192, 16_383, ['h', second, 'id']],
      ]);
    assert.equal((await write(SLOW_MS, { first: nameless, second: agree })).outcome, 'OK');
  });
});
