/** The choices of a detector, in both kits: each settles the frame as the table in docs/consumers.md says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cameraStateChanged } from '../../src/contract/events';
import { servers, Stage } from '../../lab/consumer-stage';
import { waitUntil as until } from '../../lab/process';
import { startConsumer } from '../../lab/spawn-consumer';

const FRAMES = 6;
/** The calls, without the durations of a retry and a pause, which do not matter here. */
const CALLS = ['retry', 'reject', 'requeue', 'pause'];
const OUTCOMES = ['processed', 'failed', 'rejected', 'returned'];

describe('a detector of either kit', { concurrency: true }, () => {
  for (const [kit, way] of [
    ['typescript', 'handler'],
    ['python', 'loop'],
    ['python', 'async'],
  ] as const)
    it(`${kit}, ${way}: retries, gives up, requeues, pauses and acknowledges; it connects as told, and receives other events`, async (t) => {
      const stage = await Stage.open(t);
      const state = { camera: 'gate', state: 'streaming', sinceMs: 1_700_000_000_000 } as const;
      const event = cameraStateChanged(stage.namespace, state);
      stage.publish(Buffer.from(JSON.stringify(event)));
      for (let i = 0; i < FRAMES; i += 1) await stage.send();
      const behaviour = { calls: CALLS, function: true };
      const options = { queue: stage.queue, behaviour, ...(kit === 'python' ? { way } : {}) };
      const consumer = await startConsumer(t, kit, options, servers);
      await consumer.until('processed', FRAMES - 1);
      assert.deepEqual(
        OUTCOMES.map((outcome) => consumer.settled(outcome)),
        [FRAMES - 1, 1, 1, 1],
      );
      await until('all is settled', async () => (await stage.waiting()) === 0);
      const codes = consumer.of('fault').map(({ code }) => code);
      const givenUp = kit === 'python' ? 'rejected' : 'undecodable';
      assert.deepEqual(codes.sort(), ['handler-failed', 'paused', givenUp].sort());
      assert.deepEqual(
        consumer.of('event').map(({ id }) => id),
        [event.id],
      );
      await until('there is a dead letter', async () => (await stage.waiting(stage.dead)) === 1);
      const letter = await stage.channel.get(stage.dead, { noAck: true });
      assert.ok(letter !== false);
      assert.equal(letter.properties.headers?.['x-vigil-code'], givenUp);
      assert.match(String(letter.properties.headers['x-vigil-reason']), /as it was told/);
      const { key } = (JSON.parse(letter.content.toString()) as { data: { key: string } }).data;
      assert.ok(!consumer.of('done').some((done) => done.key === key));
    });

  it('python, loop: says that it settles none of its frames, and gets no more', async (t) => {
    const stage = await Stage.open(t);
    for (let i = 0; i < 3; i += 1) await stage.send();
    const options = { queue: stage.queue, prefetch: 2, behaviour: { hold: true } };
    const consumer = await startConsumer(t, 'python', options, servers);
    assert.equal((await consumer.process.exited).code, 1);
    assert.match(consumer.process.stderr(), /ConsumerError: 2 frames were taken and none was settled/);
    await until('all are in the queue', async () => (await stage.waiting()) === 3);
  });

  it('python, loop: ends at Ctrl-C after the frame in hand', async (t) => {
    const stage = await Stage.open(t);
    for (let i = 0; i < 3; i += 1) await stage.send();
    const consumer = await startConsumer(
      t,
      'python',
      { queue: stage.queue, behaviour: { sleepS: 0.5 } },
      servers,
    );
    await until('a frame is in hand', () => consumer.of('frame').length === 1);
    consumer.process.signal('SIGINT');
    assert.deepEqual(await consumer.process.exited, { code: 0, signal: null });
    assert.equal(consumer.of('done').length, consumer.of('frame').length);
    assert.equal(consumer.events.at(-1)?.kind, 'ended');
  });
});
