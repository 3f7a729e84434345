/** Services in "consumers": who gets what, how long a picture is kept, edits, and what a slow service costs others. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { consumeFrames, type ConsumedFrame, type FrameConsumer } from '../../src/consumer';
import type { VigilEvent } from '../../src/contract/message';
import { MAIN, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, withRedis, type Listener } from '../../lab/events';
import { freePort } from '../../lab/free-port';
import { run, waitUntil } from '../../lab/process';
import { served } from '../../lab/served';
import { testServers } from '../../lab/servers';

describe('services in "consumers"', () => {
  const namespace = newNamespace();
  const cameras = [
    { id: 'gate1', test: 'testsrc2', width: 160, tags: ['north'] },
    { id: 'gate2', test: 'testsrc2', width: 160 },
    { id: 'yard', test: 'testsrc2', width: 160, tags: ['north'] },
  ];
  const plates = { cameras: ['gate*'] };
  const people = { tags: ['north'] };
  const alarm = { cameras: ['yard*'], events: ['gap', 'state'] };
  let port = 0;
  let base = '';
  let events: Listener;
  let daemon: Daemon;
  let connection: ChannelModel;
  let channel: Channel;
  const consumers: FrameConsumer[] = [];

  const config = (services: Record<string, object>) => ({
    ...{ namespace, ...remoteServers(), http: { port } },
    ...{ queue: { required: false }, cameras, consumers: services },
  });
  const queue = (service: string) => `${namespace}.${service}`;
  const consume = async (service: string, work: (frame: ConsumedFrame) => Promise<void> | void) => {
    const others: VigilEvent[] = [];
    const options = {
      ...testServers(),
      queue: queue(service),
      onEvent: (event: VigilEvent) => void others.push(event),
    };
    consumers.push(await consumeFrames(options, work));
    return others;
  };
  /** Collects the sequences that a service processed, by camera. */
  const counting = () => {
    const seen = new Map<string, Set<number>>();
    const of = (camera: string) => seen.get(camera) ?? new Set<number>();
    const note = ({ event: { data } }: ConsumedFrame) =>
      void seen.set(data.camera, of(data.camera).add(data.sequence));
    return { seen, of, note };
  };
  const ask = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(process.execPath, [MAIN, ...args]);
    // Undoes the wrapping of sentences.
    return { code, stdout: stdout.toString().replaceAll('\n  ', ' '), stderr };
  };
  const status = () => ask('status', '--data-dir', daemon.dataDir);
  const metrics = async () => (await fetch(new URL('/metrics', base))).text();
  const isStored = async (key: string) => (await withRedis((redis) => redis.exists(key))) === 1;
  const pids = async () =>
    (await daemon.status()).children.map(({ name, pid, restarts }) => `${name} ${String(pid)} ${restarts}`);

  before(async () => {
    events = await listen(namespace);
    connection = await connect(testServers().amqpUrl);
    channel = await connection.createChannel();
    port = await freePort(60_000);
    daemon = startDaemon({ config: config({ plates, people, alarm }) });
    base = await served(daemon);
    for (const { id } of cameras) await events.gotFrames(id, 1);
  });

  after(async () => {
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await events.close();
    await connection.close();
    await daemon.stop();
  });

  const onPlates = counting();
  const onPeople = counting();

  test('one without consumers is reported in the log, in status and in the metrics', async () => {
    await consume('plates', onPlates.note);
    const line = await daemon.said(new RegExp(`queue ${queue('people')} has no consumer`));
    assert.equal(line.code, 'no-consumer');
    assert.match((await status()).stdout, /^no-consumer: .*people/m);
    await waitUntil('the metrics say who has consumers', async () => {
      const scrape = await metrics();
      return (
        /^vigil_service_queue_consumers\{service="people"\} 0$/m.test(scrape) &&
        /^vigil_service_queue_consumers\{service="plates"\} 1$/m.test(scrape)
      );
    });
  });

  test('each gets the cameras of its patterns and tags, and a picture is kept until all its services have it', async () => {
    await waitUntil(
      'plates has frames of both gates',
      () => onPlates.of('gate1').size > 0 && onPlates.of('gate2').size > 0,
    );
    assert.deepEqual([...onPlates.seen.keys()].sort(), ['gate1', 'gate2']);
    const [shared] = events.frames('gate1');
    assert.ok(shared);
    assert.deepEqual(shared.recipients, { [queue('plates')]: 'after', [queue('people')]: 'after' });
    await waitUntil('plates is done with the frame that both must have', () =>
      onPlates.of('gate1').has(shared.sequence),
    );
    assert.ok(await isStored(shared.key), 'people is waited for');
    const [own] = events.frames('gate2');
    await waitUntil('the frame of plates alone is gone', async () => !(await isStored(own?.key ?? '')));
    await consume('people', onPeople.note);
    await waitUntil(
      'people has it, and it is gone',
      async () => onPeople.of('gate1').has(shared.sequence) && !(await isStored(shared.key)),
    );
    assert.deepEqual([...onPeople.seen.keys()].sort(), ['gate1', 'yard']);
    await daemon.said(new RegExp(`queue ${queue('people')} has a consumer`));
  });

  test('plan names what an edit of services changes; applying it restarts nothing, and no camera misses a second', async () => {
    const before = await pids();
    const edited = config({
      plates: { cameras: ['gate1'] },
      people,
      alarm,
      archive: { cameras: ['g*2', 'y*d'], removal: 'keep', lifetimeMs: 30_000 },
      slow: { cameras: ['yard'], maxLength: 2, overflow: 'reject-publish' },
    });
    const file = path.join(daemon.dir, 'other.json');
    writeFileSync(file, JSON.stringify(edited));
    const plan = await ask('plan', '--config', file, '--data-dir', daemon.dataDir);
    assert.match(plan.stdout, /^adjust +notifier +\(services\)$/m, plan.stderr);
    assert.doesNotMatch(plan.stdout, /^(start|stop|restart) /m);
    daemon.edit(edited);
    const archive = counting();
    await waitUntil('its queue is there', async () => /service="archive"/.test(await metrics()));
    await consume('archive', archive.note);
    await waitUntil(
      'it has frames of both',
      () => archive.of('gate2').size > 1 && archive.of('yard').size > 1,
    );
    assert.deepEqual([...archive.seen.keys()].sort(), ['gate2', 'yard']);
    const [last] = events.frames('gate2').slice(-1);
    assert.deepEqual(last?.recipients, { [queue('archive')]: 'keep' }, 'plates has them no more');
    assert.deepEqual(await pids(), before);
  });

  test('one that is slow, or whose queue refuses, delays neither another service nor a camera', async () => {
    let begun = 0;
    const inHand = new AbortController();
    consumers.push(
      await consumeFrames({ ...testServers(), queue: queue('slow'), prefetch: 1 }, async () => {
        begun += 1;
        await new Promise((resolve) => inHand.signal.addEventListener('abort', resolve));
      }),
    );
    await waitUntil('it has begun', () => begun === 1);
    const refuses = await daemon.said(/service slow is full and refuses messages/);
    assert.match(
      refuses.message,
      new RegExp(`queue ${queue('slow')} of service slow is full and refuses messages`),
    );
    const from = Math.max(...events.frames('yard').map(({ sequence }) => sequence));
    await events.gotEverySecond('yard', 5, { afterSequence: from });
    await waitUntil('people has them all', () =>
      [1, 2, 3, 4, 5].every((i) => onPeople.of('yard').has(from + i)),
    );
    assert.equal(begun, 1);
    inHand.abort();
  });

  test('one that wants gaps and states gets them, and no frames', async () => {
    const others = await consume('alarm', () => assert.fail('it wants no frames'));
    daemon.edit({
      ...config({ people, alarm, plates: { remove: true } }),
      cameras: cameras.filter(({ id }) => id !== 'yard'),
    });
    await waitUntil('the stop of the camera is reported', () =>
      others.some(
        ({ type, data }) => type === 'vigil.camera.state.v1' && 'state' in data && data.state === 'stopped',
      ),
    );
    assert.ok(others.every(({ type, subject }) => subject === 'yard' && type !== 'vigil.frame.sampled.v1'));
  });

  test('one that is removed loses its queues and their messages; one that was only taken out keeps them', async () => {
    await daemon.said(
      new RegExp(`queue ${queue('plates')} of service plates and its dead-letter queue were deleted`),
    );
    await daemon.said(
      new RegExp(`queue ${queue('archive')}, of an earlier configuration, gets no more frames`),
    );
    await channel.checkQueue(queue('archive'));
    const probe = await connection.createChannel();
    probe.on('error', () => undefined);
    await assert.rejects(probe.checkQueue(queue('plates')), /404/);
  });

  test('nothing is left at the end but the pictures of services that were taken out, which expire', async () => {
    daemon.signal('SIGTERM');
    assert.equal(await daemon.exited, 0);
    const frames = events.received.flatMap(({ event: { data } }) => ('recipients' in data ? [data] : []));
    const mustGo = new Set(
      frames
        .filter(({ recipients = {} }) => Object.keys(recipients).join() === queue('people'))
        .map(({ key }) => key),
    );
    assert.ok(mustGo.size > 0);
    const left = async () => withRedis((redis) => redis.keys(`*${namespace}:frame:*`));
    await waitUntil('no frame of people alone is left', async () =>
      (await left()).every((key) => !mustGo.has(key.replace(/^\{|\}:done$/g, ''))),
    );
    const keys = await left();
    const lives = await withRedis((redis) => Promise.all(keys.map((key) => redis.pttl(key))));
    assert.ok(!lives.includes(-1), 'each expires');
  });
});
