/** When a Redis Cluster counts as ready. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import type { Cluster } from 'ioredis';
import { withDeadline } from '../../../src/clock/sleep';
import { watchPrimaries } from '../../../src/connections/cluster-watch';

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

describe('a Cluster', () => {
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
