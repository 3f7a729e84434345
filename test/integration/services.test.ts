/** Services with their own queues, on real servers: who gets what, when a picture is deleted, the effect of a trouble. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import Ajv from 'ajv';
import { consumeFrames, doneKey, frameKey, type ConsumedFrame, type Removal } from '../../src/consumer';
import { SHARE_SCRIPT } from '../../src/contract/sharing';
import type { ServiceSpec } from '../../src/config/topology';
import { NotifierStage } from '../../lab/notifier-bench';
import { waitUntil } from '../../lab/process';
import { startPython } from '../../lab/python-consumer';
import { RedisStage } from '../../lab/redis-stage';
import { wantedBy, type Entry } from '../../lab/wanted-actors';

const servicesOf = (consumers: Record<string, Entry>): readonly ServiceSpec[] =>
  wantedBy({ namespace: 'v', cameras: [{ id: 'c', test: 'testsrc2' }], consumers }).topology.services;

/** The deviations of a message from docs/asyncapi.json. */
function asyncApiFaults(name: string, body: Buffer): unknown[] {
  const document = JSON.parse(readFileSync(path.resolve(__dirname, '../../docs/asyncapi.json'), 'utf8')) as {
    components: { messages: Record<string, { payload: object }> };
  };
  const validate = new Ajv().compile(document.components.messages[name]?.payload ?? false);
  return validate(JSON.parse(body.toString())) ? [] : (validate.errors ?? []);
}

const keyOf = (capturedAt: number) =>
  frameKey('v', { camera: 'c', capturedAt, width: 1, height: 1, format: 'jpeg' });

describe('services in the configuration', () => {
  const stage = NotifierStage.inSuite();
  const store = RedisStage.inSuite();

  /** Starts a notifier with services; frames are stored before they are announced. */
  const staged = async (consumers: Record<string, Entry>, queuesFile?: string) => {
    await store.client.flushdb();
    const bench = await stage.ready(stage.broker.url, {}, 'v', queuesFile, servicesOf(consumers));
    const send = async (...times: number[]) => {
      for (const at of times) await store.client.set(keyOf(at), `picture ${at}`, 'PX', 600_000);
      await bench.confirmed(...(bench.announce(...times), times));
    };
    return { bench, send };
  };
  const consume = async (t: TestContext, queue: string, removal: Removal, seen: ConsumedFrame[] = []) => {
    const consumer = await consumeFrames(
      { amqpUrl: stage.broker.url, redisUrl: store.url, queue, removal },
      (frame) => void seen.push(frame),
    );
    t.after(() => consumer.close());
    return seen;
  };

  test('each gets the frames of its cameras in a queue of its own, and each message says who must have them', async () => {
    const { send } = await staged({
      plates: { cameras: ['c*'] },
      people: { removal: 'keep', events: ['frame', 'state'] },
      alarm: { cameras: ['c'], events: ['gap'] },
    });
    await send(1, 2);
    assert.deepEqual(await stage.drained('v.plates'), [1, 2]);
    assert.deepEqual(await stage.drained('v.alarm'), []);
    const message = await stage.channel.get('v.people', { noAck: true });
    assert.ok(message !== false);
    const headers = Object.keys(message.properties.headers ?? {});
    assert.ok(!headers.includes('BCC') && !headers.includes('CC'), 'only the body tells of the other queues');
    const { data } = JSON.parse(message.content.toString()) as { data: { recipients: unknown } };
    const { expirytime, dataref } = JSON.parse(message.content.toString()) as Record<string, string>;
    assert.equal(dataref, `redis:${keyOf(1)}`);
    const untilExpiryMs = Date.parse(expirytime ?? '') - Date.now();
    assert.ok(untilExpiryMs > 0 && untilExpiryMs <= 108_000, 'nine tenths of 120 s from the announcement');
    assert.deepEqual(asyncApiFaults('FrameSampled', message.content), []);
    assert.deepEqual(data.recipients, { 'v.detection': 'any', 'v.plates': 'after', 'v.people': 'keep' });
    assert.deepEqual(await stage.drained(), [1, 2]);
  });

  test('events about cameras go to the services that want them', async () => {
    const { bench } = await staged({ people: { events: ['state'] }, plates: {} });
    bench.actor.receive({ kind: 'camera-state', state: { camera: 'c', state: 'streaming', sinceMs: 1 } });
    await waitUntil(
      'it has come',
      async () => (await stage.channel.checkQueue('v.people')).messageCount === 1,
    );
    assert.equal((await stage.channel.checkQueue('v.plates')).messageCount, 0);
  });

  test('an added service gets its queue without a restart; one that is taken out keeps it until removal is requested', async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vigil-services-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'queues.json');
    const { bench, send } = await staged({ plates: {} }, file);
    await bench.change({ services: servicesOf({ plates: {}, people: {} }) });
    await waitUntil('it is declared', () =>
      /of 10000/.test(String(bench.actor.progress().facts['service people'])),
    );
    await send(1);
    assert.deepEqual(await stage.drained('v.people'), [1]);
    await bench.change({ services: servicesOf({ people: {} }) });
    await send(2);
    assert.deepEqual(await stage.drained('v.people'), [2]);
    assert.deepEqual(await stage.drained('v.plates'), [1], 'what it had before is kept');
    assert.match(bench.lines.join('\n'), /queue v\.plates, of an earlier configuration, gets no more frames/);
    await bench.change({ removedServices: ['plates'] });
    await waitUntil('it is deleted', () =>
      /v\.plates of service plates .* were deleted/.test(bench.lines.join('\n')),
    );
    const view = await stage.broker.control('list_queues', '--quiet', 'name');
    assert.doesNotMatch(view, /plates/);
  });

  for (const [trouble, entry, breakIt] of [
    ['is full and refuses', { maxLength: 1, overflow: 'reject-publish' }, undefined],
    ['is full and drops', { maxLength: 1 }, undefined],
    ['was deleted', {}, () => stage.channel.deleteQueue('v.plates')],
  ] as const)
    test(`a service whose queue ${trouble} holds up neither the others nor the cameras`, async () => {
      const { send } = await staged({ plates: entry, people: {} });
      await breakIt?.();
      const times = Array.from({ length: 40 }, (_, i) => i + 1);
      await send(...times.slice(0, 20));
      await send(...times.slice(20));
      assert.deepEqual(await stage.drained('v.people'), times);
      assert.deepEqual(await stage.drained(), times);
    });

  test('a service without consumers is reported, with the detection queue if pictures wait for it', async () => {
    const { bench } = await staged({ plates: {} });
    await waitUntil(
      'both are reported',
      () => bench.lines.filter((line) => line.includes('has no consumer')).length === 2,
      60_000,
    );
    const said = bench.lines.join('\n');
    assert.match(
      said,
      /queue v\.plates has no consumer.*start service plates, or remove it from "consumers"/,
    );
    assert.match(said, /queue v\.detection has no consumer.*set "queue\.required" to false/);
    assert.match(String(bench.actor.progress().facts['service plates']), /^0 of 10000, no-consumer$/);
  });

  test('a picture is deleted when its last service is done, whatever the consumer’s mode, and leaves no key', async (t) => {
    const { send } = await staged({ plates: {}, people: { removal: 'getdel' } });
    const times = Array.from({ length: 20 }, (_, i) => i + 1);
    await send(...times);
    // With a single service this mode would remove pictures that the others need.
    const plates = await consume(t, 'v.plates', 'getdel');
    const detection = await consume(t, 'v.detection', 'after');
    await waitUntil('two are done', () => plates.length === 20 && detection.length === 20);
    assert.equal(
      (await store.keys()).filter((key) => key.startsWith('v:')).length,
      20,
      'the third is waited for',
    );
    const python = await startPython(t, {
      endpoints: { amqp: stage.broker.url, redis: store.url },
      queue: 'v.people',
    });
    await python.until('processed', 20);
    await waitUntil('no key is left', async () => (await store.keys()).length === 0);
  });

  test('"keep" leaves each picture to all services, and the set of those that are done expires with it', async (t) => {
    const { send } = await staged({ plates: {}, people: { removal: 'keep' } });
    await send(1);
    const [plates, people] = [await consume(t, 'v.plates', 'after'), await consume(t, 'v.people', 'getdel')];
    const detection = await consume(t, 'v.detection', 'after');
    await waitUntil('all are done', () => plates.length + people.length + detection.length === 3);
    await waitUntil('two are noted', async () => (await store.client.scard(doneKey(keyOf(1)))) === 2);
    assert.deepEqual(await store.keys(), [keyOf(1), doneKey(keyOf(1))].sort());
    const lifeMs = await store.client.pttl(keyOf(1));
    assert.ok((await store.client.pttl(doneKey(keyOf(1)))) <= lifeMs + 1);
    assert.ok((await store.client.pttl(doneKey(keyOf(1)))) > 0);
  });

  for (const kit of ['TypeScript', 'Python'] as const)
    test(`a service that died between its work and its acknowledgement does not repeat the work (${kit})`, async (t) => {
      const { send } = await staged({ plates: {}, people: {} });
      await send(1, 2);
      // The first work is recorded and its message redelivered, as after a crash between the two.
      await store.client.eval(
        SHARE_SCRIPT,
        2,
        keyOf(1),
        doneKey(keyOf(1)),
        'done',
        'v.plates',
        'v.plates',
        'v.people',
      );
      const first = await stage.channel.get('v.plates');
      assert.ok(first !== false);
      stage.channel.nack(first, false, true);
      const keys = async () => {
        if (kit === 'TypeScript') {
          const seen = await consume(t, 'v.plates', 'after');
          await waitUntil('the other is done', () => seen.length > 0);
          return seen.map(({ event }) => event.data.key);
        }
        const python = await startPython(t, {
          endpoints: { amqp: stage.broker.url, redis: store.url },
          queue: 'v.plates',
        });
        await python.until('processed', 1);
        return python.of('frame').map(({ key }) => key);
      };
      assert.deepEqual(await keys(), [keyOf(2)]);
      await waitUntil(
        'nothing waits',
        async () => (await stage.channel.checkQueue('v.plates')).messageCount === 0,
      );
    });

  test('the script in Redis answers as the contract says', async () => {
    await store.client.flushdb();
    const share = (how: string, queue: string) =>
      store.client.eval(SHARE_SCRIPT, 2, keyOf(1), doneKey(keyOf(1)), how, queue, 'a', 'b');
    assert.equal(await share('done', 'a'), 0, 'a picture that has gone leaves no set behind');
    assert.deepEqual(await store.keys(), []);
    await store.client.set(keyOf(1), 'p', 'PX', 60_000);
    assert.equal(await share('get', 'a'), 'p');
    assert.equal(await share('take', 'a'), 'p');
    for (const how of ['get', 'take', 'done']) assert.equal(await share(how, 'a'), null);
    assert.equal(await share('done', 'c'), 1, 'who need not have it removes nothing');
    assert.equal((await store.keys()).length, 2);
    assert.equal(await share('done', 'b'), 1);
    assert.deepEqual(await store.keys(), []);
    await store.client.lpush(keyOf(1), 'no picture');
    await assert.rejects(share('take', 'a'), /^ReplyError: WRONGTYPE/);
  });
});
