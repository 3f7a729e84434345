/** Claims of two nodes on a real Redis: one picture of a period is announced, whatever happens to its claimant. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import Redis from 'ioredis';
import { CLAIM_MS, Claims } from '../../src/actors/store/claims';
import type { Frame } from '../../src/contract/frame';
import { newNamespace } from '../../lab/events';
import { testServers } from '../../lab/servers';
import { waitUntil } from '../../lab/process';

const KEEP_MS = 60_000;

function frameOf(sequence: number, capturedAt = sequence * 1000): Frame {
  return { camera: 'gate', sequence, capturedAt, width: 64, height: 36, format: 'jpeg', bytes: 100 };
}

interface Bench {
  readonly redis: Redis;
  readonly namespace: string;
  readonly node: (token: string) => Claims & { session: number };
}

function bench(t: TestContext): Bench {
  const redis = new Redis(testServers().redisUrl);
  t.after(() => redis.disconnect());
  const namespace = newNamespace();
  const node = (token: string) => {
    const state = { session: 0 };
    const claims = new Claims({
      ...{ client: redis, namespace, token, keepMs: KEEP_MS },
      session: () => state.session,
      write: (command) => command(),
    });
    return Object.defineProperty(claims, 'session', {
      get: () => state.session,
      set: (session: number) => (state.session = session),
    }) as Claims & { session: number };
  };
  return { redis, namespace, node };
}

describe('a claim', () => {
  test('belongs to one node: the other waits, and then learns that the period was announced', async (t) => {
    const { node } = bench(t);
    const [a, b] = [node('a'), node('b')];
    const answers = await Promise.all([a.claim(frameOf(7)), b.claim(frameOf(7, 7001))]);
    assert.deepEqual(answers, ['ours', 'held']);
    assert.equal(await a.claim(frameOf(7)), 'ours', 'a retry passes');
    assert.equal(await a.confirm(frameOf(7)), 'announced');
    assert.equal(await b.claim(frameOf(7, 7001)), 'superseded');
    assert.equal(await a.claim(frameOf(7)), 'announced', 'the same picture, after a crash');
    assert.equal(await b.claim(frameOf(8)), 'ours', 'the next period is free');
  });

  test('is refused to a picture less than half a period from what another node announced in a neighbouring period', async (t) => {
    // Includes two periods in different keys, and the wrap-around of the marks.
    for (const sequence of [2_000_007, 4095 + 4096 * 400, 65_535 * 30]) {
      const { node } = bench(t);
      const [a, b] = [node('a'), node('b')];
      const at = sequence * 1000 + 900;
      assert.equal(await a.claim(frameOf(sequence, at)), 'ours');
      assert.equal(await b.claim(frameOf(sequence + 1, at + 499)), 'held', 'a may announce its own');
      await a.confirm(frameOf(sequence, at));
      assert.equal(await b.claim(frameOf(sequence + 1, at + 499)), 'superseded');
      assert.equal(await b.claim(frameOf(sequence - 1, at - 499)), 'superseded');
      assert.equal(await b.claim(frameOf(sequence - 1, at - 501)), 'ours');
      assert.equal(await a.claim(frameOf(sequence + 1, at + 499)), 'ours', "its own sampler's choice");
    }
    const { node } = bench(t);
    const slow = (sequence: number, capturedAt: number) => ({ ...frameOf(sequence, capturedAt) });
    assert.equal(await node('a').claim(slow(30_000, 30_000 * 30_000)), 'ours');
    await node('a').confirm(slow(30_000, 30_000 * 30_000));
    // With periods of half a minute a mark could not tell an offset of 65 s from none.
    assert.equal(await node('b').claim(slow(30_001, 30_000 * 30_000 + 65_535)), 'ours');
  });

  test('of a dead node passes on because it is not renewed', async (t) => {
    const { node, redis, namespace } = bench(t);
    assert.equal(await node('a').claim(frameOf(1)), 'ours');
    const key = `${namespace}:claim:{gate}:1`;
    const left = await redis.pttl(key);
    assert.ok(left > CLAIM_MS / 2 && left <= CLAIM_MS, String(left));
    await redis.pexpire(key, 100);
    const b = node('b');
    await waitUntil('it passes on', async () => (await b.claim(frameOf(1, 1001))) === 'ours');
  });

  test('that passed on while its node was frozen is not taken back', async (t) => {
    const { node, redis, namespace } = bench(t);
    const [a, b] = [node('a'), node('b')];
    await a.claim(frameOf(1));
    await redis.del(`${namespace}:claim:{gate}:1`);
    assert.equal(await b.claim(frameOf(1, 1001)), 'ours');
    assert.equal(await a.claim(frameOf(1)), 'held', 'the node asks before it announces');
    assert.equal(await b.confirm(frameOf(1, 1001)), 'announced');
    assert.equal(await a.claim(frameOf(1)), 'superseded');
  });

  test('takes a few kilobytes for an hour of a camera, and is known for as long as pictures wait', async (t) => {
    const { node, redis, namespace } = bench(t);
    const a = node('a');
    for (let sequence = 0; sequence < 3600; sequence++) await a.confirm(frameOf(sequence));
    const keys = await redis.keys(`${namespace}:*`);
    assert.deepEqual(keys, [`${namespace}:claimed:{gate}:0`]);
    const bytes = Number(await redis.memory('USAGE', keys[0] ?? ''));
    assert.ok(bytes <= 12_288, `${bytes} bytes`);
    assert.ok((await redis.pttl(keys[0] ?? '')) > KEEP_MS / 2);
    for (const sequence of [0, 1, 1799, 3599])
      assert.equal(await node('b').claim(frameOf(sequence, sequence * 1000 + 1)), 'superseded');
    assert.equal(await node('b').claim(frameOf(3600)), 'ours');
  });

  test('is marked again on a server that has lost its memory', async (t) => {
    const { node, redis, namespace } = bench(t);
    const [a, b] = [node('a'), node('b')];
    for (const sequence of [4095, 4096]) await a.confirm(frameOf(sequence));
    await redis.del(`${namespace}:claimed:{gate}:0`, `${namespace}:claimed:{gate}:1`);
    a.session = 1;
    assert.equal(await a.claim(frameOf(4097)), 'ours');
    for (const sequence of [4095, 4096])
      assert.equal(await b.claim(frameOf(sequence, sequence * 1000 + 1)), 'superseded');
  });

  test('whose mark could not be written is marked before its frame is checked again', async (t) => {
    const { redis, namespace, node } = bench(t);
    let isAway = true;
    const a = new Claims({
      ...{ client: redis, namespace, token: 'a', keepMs: KEEP_MS, session: () => 0 },
      write: async (command) => {
        if (isAway) throw new Error('away');
        return command();
      },
    });
    await assert.rejects(a.confirm(frameOf(1)));
    isAway = false;
    assert.equal(await a.claim(frameOf(1)), 'announced');
    assert.equal(await node('b').claim(frameOf(1, 1001)), 'superseded');
  });
});
