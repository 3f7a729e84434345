/** The notifier on a RabbitMQ that refuses, stops or forgets: each fault is distinguished, and no announcement is lost. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { waitUntil } from '../../lab/process';
import { NotifierStage } from '../../lab/notifier-bench';

describe('the notifier', () => {
  const stage = NotifierStage.inSuite();

  test('publishes frames on one connection, hands messages to others on another, declares on a third', async () => {
    await stage.ready();
    await waitUntil('three connections', async () => {
      const names = ['vigil notifier', 'vigil notifier others', 'vigil notifier declares'];
      const counts = await Promise.all(names.map(async (name) => (await stage.connectionsOf(name)).length));
      return counts.every((count) => count === 1);
    });
  });

  for (const [kind, args] of [
    ['classic queue', {}],
    ['quorum queue', { 'x-queue-type': 'quorum' }],
  ] as const)
    test(`a full ${kind} that another client bound to the exchange delays nothing and causes no repeats`, async () => {
      const bench = await stage.ready();
      const full = { 'x-max-length': 1, 'x-overflow': 'reject-publish', ...args };
      const [other, third] = [`v.other ${kind}`, `v.third ${kind}`];
      await stage.channel.assertQueue(other, { arguments: full });
      await stage.channel.assertQueue(third, { arguments: args });
      for (const queue of [other, third]) await stage.channel.bindQueue(queue, 'v.frames', 'camera.#');
      const times = Array.from({ length: 200 }, (_, i) => i + 1);
      // In waves: a full quorum queue still accepts messages in flight.
      for (let sent = 0; sent < times.length; sent += 20) {
        bench.announce(...times.slice(sent, sent + 20));
        await waitUntil('all are answered', () => bench.answers.size === sent + 20);
      }
      assert.deepEqual(new Set(bench.answers.values()), new Set([undefined]));
      assert.deepEqual(await stage.drained(), times);
      assert.deepEqual(await stage.drained(third), times, 'others with room get each once');
      for (const queue of [other, third]) await stage.channel.deleteQueue(queue);
      assert.match(bench.lines.join('\n'), /others have bound to exchange v\.frames refuses messages/);
    });

  test('a queue that an older version bound is unbound: no frame reaches it twice', async () => {
    const first = await stage.ready();
    await first.actor.stop();
    await stage.channel.bindQueue('v.detection', 'v.frames', 'camera.*.frame');
    const bench = await stage.ready();
    await bench.confirmed(...(bench.announce(1, 2), [1, 2]));
    assert.deepEqual(await stage.drained(), [1, 2]);
  });

  for (const old of ['v.detection', 'v.old'])
    test(`a queue ${old} that was renamed is unbound and kept with its messages, which are reported and counted`, async (t) => {
      const dir = mkdtempSync(path.join(tmpdir(), 'vigil-queues-'));
      t.after(() => rmSync(dir, { recursive: true }));
      const file = path.join(dir, 'queues.json');
      const first = await stage.ready(stage.broker.url, { name: old, maxLength: 2 }, 'v', file);
      await first.confirmed(...(first.announce(1, 2), [1, 2]));
      await first.actor.stop();
      await stage.channel.bindQueue(old, 'v.frames', 'camera.*.frame');
      const bench = await stage.ready(stage.broker.url, { name: 'v.new' }, 'v', file);
      await bench.confirmed(...(bench.announce(3, 4), [3, 4]));
      assert.deepEqual(await stage.drained('v.new'), [3, 4]);
      assert.ok(
        bench.lines.includes(
          `queue ${old}, of an earlier configuration, gets no more frames and holds 2 messages; consume them, then delete it: rabbitmqctl delete_queue ${old}`,
        ),
        bench.lines.join('\n'),
      );
      assert.equal(bench.actor.progress().facts[`old queue ${old}`], 2);
      assert.deepEqual(await stage.drained(old), [1, 2]);
      for (const name of [old, 'v.new']) {
        await stage.channel.deleteQueue(name);
        await stage.channel.deleteQueue(`${name}.dead`);
        for (const exchange of [name, `${name}.dead`]) await stage.channel.deleteExchange(exchange);
      }
    });

  test('a changed bound that the queue cannot adopt is reported with both values, and its own value is shown', async () => {
    const first = await stage.ready(stage.broker.url, { maxLength: 7 });
    await first.actor.stop();
    const bench = await stage.ready(stage.broker.url, { maxLength: 500 });
    assert.match(
      bench.lines.join('\n'),
      /^queue v\.detection keeps x-max-length 7, the configuration's 500 is not applied: .* set another "queue\.name"/m,
    );
    assert.equal(bench.actor.progress().facts['queue v.detection'], '0 of 7');
  });

  test('a frame announced ten times is one message', async () => {
    const bench = await stage.ready();
    for (let i = 0; i < 5; i++) bench.announce(1, 2, 3);
    await bench.confirmed(1, 2, 3);
    for (let i = 0; i < 5; i++) bench.announce(1, 2, 3);
    await bench.confirmed(1, 2, 3);
    assert.deepEqual(await stage.drained(), [1, 2, 3]);
  });

  test('a full queue refuses frames, and accepts them when they are announced again after space was made', async () => {
    const bench = await stage.ready(stage.broker.url, { maxLength: 3 });
    const times = Array.from({ length: 20 }, (_, i) => i + 1);
    // One by one: what is on its way already when a quorum queue is full is taken.
    for (const at of times) {
      bench.announce(at);
      await waitUntil('it is answered', () => bench.answers.has(at));
    }
    assert.equal(bench.answers.get(20), 'broker-nack');
    const got: number[] = [];
    const confirming = bench.confirmed(...times);
    await waitUntil('all have come', async () => {
      got.push(...(await stage.drained()));
      return got.length === times.length;
    });
    await confirming;
    assert.deepEqual(new Set(got), new Set(times));
  });

  test('a queue that stays full is reported as full, on the same connection, until a message is confirmed', async () => {
    const bench = await stage.ready(stage.broker.url, { maxLength: 3 });
    const before = await stage.connectionsOf('vigil notifier');
    const [times, got] = [Array.from({ length: 9 }, (_, i) => i + 1), new Set<number>()];
    // One by one: what is on its way already when a quorum queue is full is taken.
    for (const at of times) {
      bench.announce(at);
      await waitUntil('it is answered', () => bench.answers.has(at));
    }
    const confirming = bench.confirmed(...times);
    await waitUntil('it is told', () => bench.fault() === 'broker-full', 30_000);
    assert.equal(bench.actor.progress().facts['rabbitmq'], 'broker-full');
    assert.match(bench.lines.join('\n'), /^queue v\.detection is full \(\d of 3 messages\); frames wait/m);
    assert.deepEqual(await stage.connectionsOf('vigil notifier'), before);
    await waitUntil('all have come', async () => {
      for (const at of await stage.drained()) got.add(at);
      return got.size === times.length;
    });
    await confirming;
    await waitUntil('it is ready', () => bench.fault() === undefined);
  });

  test('a message that reaches no queue is a failure, and the queue is declared again', async () => {
    const bench = await stage.ready();
    await stage.channel.deleteQueue('v.detection');
    bench.announce(1);
    await waitUntil('it is answered', () => bench.answers.size === 1);
    assert.equal(bench.answers.get(1), 'unroutable');
    await bench.confirmed(1);
    assert.deepEqual(await stage.drained(), [1]);
  });

  test('a queue that was deleted is declared again even if another one receives the messages', async () => {
    const bench = await stage.ready();
    await stage.channel.assertQueue('v.other');
    await stage.channel.bindQueue('v.other', 'v.frames', 'camera.#');
    await stage.channel.deleteQueue('v.detection');
    const isThere = async () =>
      (await stage.broker.control('list_queues', 'name')).split('\n').includes('v.detection');
    await waitUntil('it is there again', isThere, 15_000);
    await bench.confirmed(...(bench.announce(1), [1]));
    assert.deepEqual(await stage.drained(), [1]);
  });

  test('an exchange that was deleted is declared again, and nothing is lost', async () => {
    const bench = await stage.ready();
    await stage.channel.deleteExchange('v.frames');
    bench.announce(1, 2, 3);
    await waitUntil('they are answered', () => bench.answers.size === 3);
    assert.deepEqual(new Set(bench.answers.values()), new Set(['broker-topology']));
    await bench.confirmed(1, 2, 3);
    assert.deepEqual((await stage.drained()).sort(), [1, 2, 3]);
  });

  test('a connection closed by an operator is opened again', async () => {
    const bench = await stage.ready();
    const [pid = ''] = await stage.connectionsOf('vigil notifier');
    await stage.broker.control('close_connection', pid, 'test');
    await waitUntil('it notices', () => bench.lines.some((line) => /closed the connection/.test(line)));
    await bench.confirmed(...(bench.announce(1), [1]));
    assert.deepEqual(await stage.drained(), [1]);
  });

  test('a memory alarm is reported, blocks nothing forever, and causes no repeats', async () => {
    const bench = await stage.ready();
    bench.announce(1);
    await bench.confirmed(1);
    await stage.broker.control('set_vm_memory_high_watermark', '0.00001');
    const times = Array.from({ length: 10 }, (_, i) => i + 2);
    await waitUntil('it is blocked', () => {
      if (bench.fault() !== 'broker-blocked') bench.announce(...times);
      return bench.fault() === 'broker-blocked';
    });
    bench.announce(...times);
    await stage.broker.control('set_vm_memory_high_watermark', '0.4');
    await waitUntil('it is ready', () => bench.fault() === undefined);
    await bench.confirmed(...times);
    assert.deepEqual(
      (await stage.drained()).sort((a, b) => a - b),
      [1, ...times],
    );
  });

  test('a frozen broker is sent one message, not all that wait', async () => {
    const bench = await stage.ready();
    bench.announce(1);
    await bench.confirmed(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    stage.broker.signal('SIGSTOP');
    try {
      const times = Array.from({ length: 10 }, (_, i) => i + 2);
      bench.announce(...times);
      await waitUntil('it is given up', () => bench.fault() !== undefined, 30_000);
      assert.equal(bench.fault(), 'broker-silent');
      stage.broker.signal('SIGCONT');
      await bench.confirmed(...times);
      const got = await stage.drained();
      assert.deepEqual(new Set(got), new Set([1, ...times]));
      assert.ok(got.length <= 12, `repeats: ${String(got)}`);
    } finally {
      stage.broker.signal('SIGCONT');
    }
  });

  test('a broker that is killed and restarted gets everything announced meanwhile', async () => {
    const bench = await stage.ready(stage.broker.url, { name: 'w.detection' }, 'w');
    const times = Array.from({ length: 10 }, (_, i) => i + 1);
    await bench.confirmed(...(bench.announce(1), [1]));
    const restarted = stage.broker.restart();
    bench.announce(...times);
    await restarted;
    await bench.confirmed(...times);
    await stage.connect();
    // A killed broker loses what a queue received just after its declaration: see docs/reliability.md.
    assert.deepEqual(
      (await stage.drained('w.detection')).filter((at) => at !== 1).sort((a, b) => a - b),
      times.slice(1),
    );
  });
});
