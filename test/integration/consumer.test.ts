/** The consumer room against a real Redis and a real RabbitMQ. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import sharp from 'sharp';
import {
  consumeFrames,
  ConsumerError,
  decodeFrame,
  UndecodableError,
  writeFrame,
  type ConsumedFrame,
  type ConsumerOptions,
  type FrameHandler,
  type Removal,
} from '../../src/consumer';
import { openFrameQueue } from '../../src/consumer/frame-queue';
import { runProcess, type ProcessOptions } from '../../src/consumer/process';
import { readServerUrl } from '../../src/consumer/server-url';
import { frameSampled } from '../../src/contract/events';
import { FRAME_FORMATS, frameExtension, MAX_PIXELS } from '../../src/contract/frame';
import {
  channel,
  DELIVERY_LIMIT,
  picture,
  PrivateRedis,
  redis,
  servers,
  Stage,
  temporaryFolder,
  until,
  Wire,
  type PictureFormat,
} from '../../lab/consumer-stage';
import { freePort } from '../../lab/free-port';

const run = promisify(execFile);

/** Runs the rest of a test in another time zone. */
function inTimeZone(t: TestContext, zone: string): void {
  const before = process.env['TZ'];
  process.env['TZ'] = zone;
  t.after(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });
}

describe('a frame', { concurrency: true }, () => {
  for (const format of ['jpeg', 'png', 'webp'] as const)
    it(`in ${format} reaches the handler as it was stored, decodes, and leaves Redis and the queue`, async (t) => {
      const stage = await Stage.open(t);
      const seen: ConsumedFrame[] = [];
      const consumer = await stage.consume(t, (frame) => void seen.push(frame));
      const frame = await stage.send(format);
      await until('the frame is processed', () => consumer.counters.processed === 1);

      const [{ event, bytes, redelivered }] = seen as [ConsumedFrame];
      assert.deepEqual(event, frameSampled(stage.namespace, frame, false, frame.capturedAt));
      assert.deepEqual(bytes, await picture(format));
      assert.equal(redelivered, false);
      const { data, ...shape } = await decodeFrame(bytes, format);
      assert.deepEqual(shape, { width: 64, height: 48, channels: 3 });
      assert.equal(data.length, 64 * 48 * 3);
      [250, 130, 20].forEach((value, i) =>
        assert.ok(Math.abs((data[i] ?? 0) - value) <= 4, `${String(data[i])} is not ${value}`),
      );
      await consumer.close();
      assert.equal(await redis.exists(stage.key(frame)), 0);
      assert.equal(await stage.waiting(), 0);
      assert.equal(await stage.waiting(stage.dead), 0);
      assert.deepEqual(consumer.counters, { processed: 1, expired: 0, invalid: 0, failed: 0 });
      assert.deepEqual(stage.faults, []);
    });

  const removals: readonly { removal: Removal; during: number; afterwards: number }[] = [
    { removal: 'after', during: 1, afterwards: 0 },
    { removal: 'getdel', during: 0, afterwards: 0 },
    { removal: 'keep', during: 1, afterwards: 1 },
  ];
  for (const { removal, during, afterwards } of removals)
    it(`is in Redis ${during} times during the work and ${afterwards} after it with "${removal}"`, async (t) => {
      const stage = await Stage.open(t);
      const found: number[] = [];
      const handler = async ({ event }: ConsumedFrame) => void found.push(await redis.exists(event.data.key));
      const consumer = await stage.consume(t, handler, { removal });
      const frame = await stage.send();
      await until('the frame is processed', () => consumer.counters.processed === 1);
      await consumer.close();
      assert.deepEqual(found, [during]);
      assert.equal(await redis.exists(stage.key(frame)), afterwards);
      assert.equal(await stage.waiting(), 0);
    });

  it('that has expired is acknowledged, counted, reported, and never retried', async (t) => {
    const stage = await Stage.open(t);
    const consumer = await stage.consume(t, () => assert.fail('the handler was called'));
    const frame = stage.frame(await picture('jpeg'));
    stage.announce(frame);
    await until('it is counted', () => consumer.counters.expired === 1);
    await consumer.close();
    assert.deepEqual(consumer.counters, { processed: 0, expired: 1, invalid: 0, failed: 0 });
    assert.deepEqual(stage.codes(), ['expired']);
    assert.match(stage.faults[0]?.message ?? '', new RegExp(stage.key(frame)));
    assert.equal(await stage.waiting(), 0);
    assert.equal(await stage.waiting(stage.dead), 0);
  });

  it('that is truncated goes to the dead-letter queue after one delivery, in every format', async (t) => {
    const stage = await Stage.open(t);
    const handler: FrameHandler = async ({ event, bytes }) => {
      await decodeFrame(bytes, event.data.format);
    };
    const consumer = await stage.consume(t, handler);
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      const whole = await picture(format);
      await stage.send(format, whole.subarray(0, Math.floor(whole.length * 0.7)));
    }
    await until('they are counted', () => consumer.counters.failed === 3);
    await until('they are dead letters', async () => (await stage.waiting(stage.dead)) === 3);
    await consumer.close();
    assert.equal(consumer.counters.processed, 0);
    assert.equal(
      stage.faults.reduce((sum, fault) => sum + fault.count, 0),
      3,
    );
    assert.deepEqual([...new Set(stage.codes())], ['undecodable']);
  });

  it('whose handler fails comes again, and into the dead-letter queue at the delivery limit', async (t) => {
    const stage = await Stage.open(t);
    const redelivered: boolean[] = [];
    const consumer = await stage.consume(t, (frame) => {
      redelivered.push(frame.redelivered);
      throw new Error('no model is loaded');
    });
    const frame = await stage.send();
    await until('it is a dead letter', async () => (await stage.waiting(stage.dead)) === 1);
    assert.deepEqual(redelivered, [false, ...Array.from({ length: DELIVERY_LIMIT }, () => true)]);
    assert.equal(consumer.counters.failed, DELIVERY_LIMIT + 1);
    assert.equal(await redis.exists(stage.key(frame)), 1);
    assert.equal(stage.faults[0]?.code, 'handler-failed');
    assert.match(stage.faults[0].message, /no model is loaded/);
  });

  it('whose handler fails once is processed at the second delivery', async (t) => {
    const stage = await Stage.open(t);
    const consumer = await stage.consume(t, ({ redelivered }) => {
      if (!redelivered) throw new Error('once');
    });
    await stage.send();
    await until('it is processed', () => consumer.counters.processed === 1);
    assert.deepEqual(consumer.counters, { processed: 1, expired: 0, invalid: 0, failed: 1 });
  });

  it('that GETDEL has taken is not tried again but a dead letter when its handler fails', async (t) => {
    const stage = await Stage.open(t);
    const handler = () => {
      throw new Error('too late');
    };
    const consumer = await stage.consume(t, handler, { removal: 'getdel' });
    await stage.send();
    await until('it is a dead letter', async () => (await stage.waiting(stage.dead)) === 1);
    assert.deepEqual(consumer.counters, { processed: 0, expired: 0, invalid: 0, failed: 1 });
  });
});

describe('an invalid message', { concurrency: true }, () => {
  const valid = frameSampled(
    'ns',
    { camera: 'gate', capturedAt: 1, sequence: 0, width: 64, height: 48, format: 'jpeg', bytes: 9 },
    false,
    1,
  );
  const json = (change: object) => JSON.stringify({ ...valid, data: { ...valid.data, ...change } });
  const cases: readonly { what: string; body: string }[] = [
    { what: 'no JSON', body: '{' },
    { what: 'nothing', body: '' },
    { what: 'another type of event', body: JSON.stringify({ ...valid, type: 'vigil.camera.state.v1' }) },
    {
      what: 'a camera that is a path',
      body: json({ camera: '../../etc', key: 'ns:frame:../../etc:1:64x48:jpeg' }),
    },
    { what: 'a key that is none of a frame', body: json({ key: 'session:4711' }) },
    { what: 'a key of another camera', body: json({ key: 'ns:frame:yard:1:64x48:jpeg' }) },
    { what: 'more than 64 KB', body: json({ padding: 'x'.repeat(70_000) }) },
  ];
  for (const { what, body } of cases)
    it(`with ${what} goes to the dead-letter queue unopened`, async (t) => {
      const stage = await Stage.open(t);
      const consumer = await stage.consume(t, () => assert.fail('the handler was called'));
      stage.publish(Buffer.from(body));
      await until('it is a dead letter', async () => (await stage.waiting(stage.dead)) === 1);
      assert.deepEqual(consumer.counters, { processed: 0, expired: 0, invalid: 1, failed: 0 });
      assert.deepEqual(stage.codes(), ['invalid-message']);
    });
});

describe('decodeFrame', () => {
  const refuses = { code: 'undecodable', name: UndecodableError.name };

  it('refuses a picture of another format than announced, and what sharp would read besides', async () => {
    await assert.rejects(decodeFrame(await picture('png'), 'jpeg'), refuses);
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>');
    await assert.rejects(decodeFrame(svg, 'png'), refuses);
    await assert.rejects(decodeFrame(Buffer.alloc(0), 'webp'), refuses);
  });

  it('refuses a picture with more pixels than any camera sends', async () => {
    const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: 'black' } })
      .png()
      .toBuffer();
    await assert.rejects(decodeFrame(bomb, 'png'), refuses);
  });

  it('takes a picture of as many pixels as a camera may send, and none with more', async () => {
    const width = 10_000;
    for (const [height, isTaken] of [
      [MAX_PIXELS / width, true],
      [MAX_PIXELS / width + 1, false],
    ] as const) {
      const bytes = await sharp({ create: { width, height, channels: 3, background: 'black' } })
        .jpeg()
        .toBuffer();
      const decoded = decodeFrame(bytes, 'jpeg');
      if (isTaken) assert.equal((await decoded).height, height);
      else await assert.rejects(decoded, refuses);
    }
  });

  it('gives three channels for grey and for transparent pictures', async () => {
    const grey = await sharp(await picture('png'))
      .greyscale()
      .jpeg()
      .toBuffer();
    assert.equal((await decodeFrame(grey, 'jpeg')).channels, 3);
    const transparent = await sharp(await picture('png'))
      .ensureAlpha(0.5)
      .png()
      .toBuffer();
    assert.equal((await decodeFrame(transparent, 'png')).channels, 3);
  });
});

describe('writeFrame', () => {
  const format = 'jpeg';
  const save = (out: string, capturedAt: number, content = String(capturedAt), camera = 'gate') =>
    writeFrame(out, { camera, capturedAt, format }, Buffer.from(content));

  const zones = [
    { zone: 'UTC', name: 'frame_01_02_2024-23_04_05.jpg' },
    { zone: 'Asia/Kolkata', name: 'frame_01_03_2024-04_34_05.jpg' },
    { zone: 'America/New_York', name: 'frame_01_02_2024-18_04_05.jpg' },
  ];
  for (const { zone, name } of zones)
    it(`names a file by the local time of its capture, ${name} in ${zone}, and dates it so`, async (t) => {
      inTimeZone(t, zone);
      const out = await temporaryFolder(t);
      const file = await save(out, Date.parse('2024-01-02T23:04:05.678Z'));
      assert.equal(file, path.join(out, 'gate', name));
      assert.equal((await stat(file)).mtime.toISOString(), '2024-01-02T23:04:05.678Z');
    });

  it('names as strftime("%m_%d_%Y-%H_%M_%S") of the Python origin does', async (t) => {
    inTimeZone(t, 'Europe/Berlin');
    const out = await temporaryFolder(t);
    const script =
      'import time; print(time.strftime("frame_%m_%d_%Y-%H_%M_%S.jpg", time.localtime(1711846799)))';
    const { stdout } = await run('/usr/bin/python3', ['-c', script]);
    assert.equal(path.basename(await save(out, 1_711_846_799_999)), stdout.trim());
  });

  it('appends the milliseconds to other frames of a second, and lets a repeat replace its own file', async (t) => {
    inTimeZone(t, 'UTC');
    const out = await temporaryFolder(t);
    const second = Date.parse('2024-01-02T03:04:05Z');
    for (const round of ['first', 'again'])
      for (const ms of [7, 500, 42]) await save(out, second + ms, `${round} ${ms}`);
    const stem = 'frame_01_02_2024-03_04_05';
    const contents: Record<string, string> = {};
    for (const name of await readdir(path.join(out, 'gate')))
      contents[name] = await readFile(path.join(out, 'gate', name), 'utf8');
    assert.deepEqual(contents, {
      [`${stem}.jpg`]: 'again 7',
      [`${stem}_042.jpg`]: 'again 42',
      [`${stem}_500.jpg`]: 'again 500',
    });
  });

  it('loses no frame of the hour that clocks repeat, nor of two seconds with the same milliseconds', async (t) => {
    inTimeZone(t, 'America/New_York');
    const out = await temporaryFolder(t);
    const first = Date.parse('2024-11-03T05:30:00.250Z');
    const hour = 3_600_000;
    const files = [await save(out, first), await save(out, first + hour), await save(out, first + hour + 1)];
    files.push(await save(out, first + 1), await save(out, first + hour), await save(out, first));
    assert.equal(new Set(files).size, 4);
    assert.equal(path.basename(files[1] ?? ''), 'frame_11_03_2024-01_30_00_250.jpg');
    assert.equal(await readFile(files[1] ?? '', 'utf8'), String(first + hour));
    assert.equal((await readdir(path.join(out, 'gate'))).length, 4);
  });

  it('loses no frame of a second when they are written at the same time', async (t) => {
    const out = await temporaryFolder(t);
    const times = Array.from({ length: 20 }, (_, i) => 1_700_000_000_000 + i * 50);
    const files = await Promise.all(times.map((time) => save(out, time)));
    assert.equal(new Set(files).size, 20);
    for (const [i, file] of files.entries()) assert.equal(await readFile(file, 'utf8'), String(times[i]));
  });

  it('refuses a camera that is a path', async (t) => {
    const out = await temporaryFolder(t);
    await assert.rejects(save(out, 1, 'x', '../elsewhere'), { code: 'output-failed' });
    assert.deepEqual(await readdir(out), []);
  });
});

describe('an outage', { concurrency: true }, () => {
  it('of Redis returns the frame to the queue, is reported once, and passes without a loss', async (t) => {
    const stage = await Stage.open(t);
    const store = new PrivateRedis(await freePort(), await temporaryFolder(t));
    await store.start();
    t.after(() => store.stop('SIGKILL'));
    const client = new Redis(store.url, { retryStrategy: null });
    const bytes = await picture('jpeg');
    const frame = stage.frame(bytes);
    await client.set(stage.key(frame), bytes);
    client.disconnect();

    const handled: string[] = [];
    const handler = ({ event }: ConsumedFrame) => void handled.push(event.data.key);
    const consumer = await stage.consume(t, handler, { redisUrl: store.url });
    await until('it consumes', () => stage.starts === 1);
    await store.stop();
    await until('the outage is reported', () => stage.codes().includes('redis-unreachable'));
    await until('nothing is taken', async () => (await channel.checkQueue(stage.queue)).consumerCount === 0);
    stage.announce(frame);
    await until('the frame waits in the queue', async () => (await stage.waiting()) === 1);
    assert.deepEqual(consumer.counters, { processed: 0, expired: 0, invalid: 0, failed: 0 });
    await store.start();
    await until('the frame is processed', () => consumer.counters.processed === 1);
    assert.deepEqual(handled, [stage.key(frame)]);
    assert.deepEqual(stage.codes(), ['redis-unreachable']);
    assert.equal(stage.starts, 2);
  });

  it('of Redis in the middle of a retrieval keeps the frame until it is over', async (t) => {
    const stage = await Stage.open(t);
    const { wire, url } = await Wire.open(t, servers.redisUrl);
    const consumer = await stage.consume(t, () => undefined, { redisUrl: url });
    await until('it consumes', () => stage.starts === 1);
    wire.silent = true;
    await stage.send();
    await until('the retrieval is on its way', () => wire.swallowed > 0);
    wire.cut();
    await until('the outage is reported', () => stage.codes().includes('redis-unreachable'));
    wire.silent = false;
    await until('the frame is processed', () => consumer.counters.processed === 1);
    assert.deepEqual(consumer.counters, { processed: 1, expired: 0, invalid: 0, failed: 0 });
    assert.deepEqual(stage.codes(), ['redis-unreachable']);
  });

  it('of Redis that only falls silent is noticed when a retrieval gets no answer', async (t) => {
    const stage = await Stage.open(t);
    const { wire, url } = await Wire.open(t, servers.redisUrl);
    const consumer = await stage.consume(t, () => undefined, { redisUrl: url });
    await until('it consumes', () => stage.starts === 1);
    wire.silent = true;
    await stage.send();
    await until('the outage is reported', () => stage.codes().includes('redis-unreachable'));
    wire.silent = false;
    await until('the frame is processed', () => consumer.counters.processed === 1);
    assert.deepEqual(consumer.counters, { processed: 1, expired: 0, invalid: 0, failed: 0 });
  });

  it('of RabbitMQ ends with a new connection; what was finished meanwhile is acknowledged, and not done again', async (t) => {
    const stage = await Stage.open(t);
    const { wire, url } = await Wire.open(t, servers.amqpUrl);
    const work = { starts: 0, release: (): void => undefined };
    const handler = async () => {
      work.starts += 1;
      if (work.starts === 1) await new Promise<void>((resolve) => (work.release = resolve));
    };
    const consumer = await stage.consume(t, handler, { amqpUrl: url, removal: 'keep' });
    await stage.send();
    await until('the handler is at work', () => work.starts === 1);
    wire.cut();
    await until('the outage is reported', () => stage.codes().includes('rabbitmq-unreachable'));
    work.release();
    await until('it consumes again', () => stage.starts === 2);
    await stage.send();
    await until('the next frame is processed', () => consumer.counters.processed === 2);
    assert.equal(work.starts, 2);
    assert.deepEqual(stage.codes(), ['rabbitmq-unreachable']);
    await consumer.close();
    assert.equal(await stage.waiting(), 0);
  });

  it('for want of the queue is reported once and ends when the queue is declared', async (t) => {
    const stage = await Stage.open(t);
    await channel.deleteQueue(stage.queue);
    const { wire, url } = await Wire.open(t, servers.amqpUrl);
    const consumer = await stage.consume(t, () => undefined, { amqpUrl: url });
    await until('it has tried three times', () => wire.connections >= 3);
    assert.deepEqual(stage.codes(), ['queue-missing']);
    assert.match(stage.faults[0]?.message ?? '', new RegExp(stage.queue));
    await stage.declare();
    await stage.send();
    await until('the frame is processed', () => consumer.counters.processed === 1);
  });

  it('by deletion of the queue is noticed while nothing else happens', async (t) => {
    const stage = await Stage.open(t);
    await stage.consume(t, () => undefined);
    await until('it consumes', () => stage.starts === 1);
    await channel.deleteQueue(stage.queue);
    await until('it is reported', () => stage.codes().includes('queue-missing'));
    await stage.declare();
    await until('it consumes again', () => stage.starts === 2);
  });

  it('by wrong credentials is reported without them', async (t) => {
    const stage = await Stage.open(t);
    const wrong = (url: string) => {
      const changed = new URL(url);
      changed.username = 'intruder';
      changed.password = 'hush:h%2Fush';
      return changed.href;
    };
    const options = { amqpUrl: servers.amqpUrl, redisUrl: wrong(servers.redisUrl) };
    await stage.consume(t, () => undefined, options);
    await stage.consume(t, () => undefined, { amqpUrl: wrong(servers.amqpUrl) });
    await until('both are reported', () => stage.faults.length >= 2);
    assert.deepEqual(stage.codes().sort(), ['rabbitmq-refused', 'redis-refused']);
    assert.doesNotMatch(JSON.stringify(stage.faults), /hush|intruder/);
  });
});

describe('consumeFrames', () => {
  const usable = { ...servers, queue: 'any' };
  const unusable: readonly { what: string; options: ConsumerOptions }[] = [
    { what: 'a Redis URL of another scheme', options: { ...usable, redisUrl: 'http://user:hush@host' } },
    {
      what: 'a RabbitMQ URL that cannot be read',
      options: { ...usable, amqpUrl: 'amqp://user:hush/x@host' },
    },
    { what: 'a password that is not encoded', options: { ...usable, amqpUrl: 'amqp://user:hush%zz@host' } },
    { what: 'a prefetch of 0', options: { ...usable, prefetch: 0 } },
    { what: 'no queue', options: { ...usable, queue: '' } },
  ];
  for (const { what, options } of unusable)
    it(`refuses ${what}, without repeating it`, async () => {
      await assert.rejects(
        consumeFrames(options, () => undefined),
        (error) =>
          error instanceof ConsumerError &&
          error.code === 'invalid-option' &&
          !error.message.includes('hush'),
      );
    });

  it('works on no more frames at a time than prefetch says', async (t) => {
    const stage = await Stage.open(t);
    const work = { now: 0, most: 0 };
    const handler = async () => {
      work.now += 1;
      work.most = Math.max(work.most, work.now);
      await sleep(5);
      work.now -= 1;
    };
    for (let i = 0; i < 20; i += 1) await stage.send();
    const consumer = await stage.consume(t, handler, { prefetch: 3 });
    await until('all are processed', () => consumer.counters.processed === 20);
    assert.equal(work.most, 3);
  });

  it('reports a burst of one fault once a second, with its count', async (t) => {
    const stage = await Stage.open(t);
    const consumer = await stage.consume(t, () => undefined);
    const bytes = await picture('jpeg');
    for (let i = 0; i < 50; i += 1) stage.announce(stage.frame(bytes));
    await until('all are counted', () => consumer.counters.expired === 50);
    await consumer.close();
    assert.ok(stage.faults.length <= 3, `${stage.faults.length} reports`);
    assert.equal(
      stage.faults.reduce((sum, fault) => sum + fault.count, 0),
      50,
    );
  });
});

describe('close', () => {
  let resources: string[];
  beforeEach(() => {
    resources = process.getActiveResourcesInfo();
  });

  const connections = async (stage: Stage) =>
    String(await redis.client('LIST'))
      .split('\n')
      .filter((line) => line.includes(`name=vigil-consumer:${stage.queue} `)).length;

  /** Sockets and timers that were not there before the test. */
  const left = () => {
    const count = (all: string[], type: string) => all.filter((each) => each === type).length;
    const now = process.getActiveResourcesInfo();
    return ['TCPSocketWrap', 'Timeout', 'TCPConnectWrap'].filter(
      (type) => count(now, type) > count(resources, type),
    );
  };

  it('waits for the frame at work, and leaves no connection and no timer', async (t) => {
    const stage = await Stage.open(t);
    const work = { started: false, release: (): void => undefined };
    const consumer = await stage.consume(t, async () => {
      work.started = true;
      await new Promise<void>((resolve) => (work.release = resolve));
    });
    const frame = await stage.send();
    await until('the handler is at work', () => work.started);
    assert.equal(await connections(stage), 1);
    assert.ok((await channel.checkQueue(stage.queue)).consumerCount > 0);

    const closed = consumer.close();
    await stage.send();
    await until('the next frame stays in the queue', async () => (await stage.waiting()) === 1);
    assert.equal(await connections(stage), 1);
    work.release();
    await closed;
    await until('sockets and timers have gone', () => left().length === 0);
    await until('Redis has noticed', async () => (await connections(stage)) === 0);
    await until(
      'RabbitMQ has noticed',
      async () => (await channel.checkQueue(stage.queue)).consumerCount === 0,
    );
    assert.equal(consumer.counters.processed, 1);
    assert.equal(await stage.waiting(), 1);
    assert.equal(await redis.exists(stage.key(frame)), 0);
  });

  it('returns to the queue what is not done by the deadline', async (t) => {
    const stage = await Stage.open(t);
    const work = { started: false, release: (): void => undefined };
    const consumer = await stage.consume(t, async () => {
      work.started = true;
      await new Promise<void>((resolve) => (work.release = resolve));
    });
    await stage.send();
    await until('the handler is at work', () => work.started);
    await consumer.close(50);
    await until('sockets and timers have gone', () => left().length === 0);
    await until('the frame is back', async () => (await stage.waiting()) === 1);
    work.release();
  });

  it('is prompt while servers are away, while they are silent, and the second time', async (t) => {
    const stage = await Stage.open(t);
    const absent = `127.0.0.1:${await freePort()}`;
    const away = await stage.consume(t, () => undefined, { redisUrl: `redis://${absent}` });
    await until('the outage is reported', () => stage.codes().includes('redis-unreachable'));
    const silent = await Wire.open(t, servers.amqpUrl);
    silent.wire.silent = true;
    const stuck = await stage.consume(t, () => undefined, { amqpUrl: silent.url });
    await until('it is connecting', () => silent.wire.swallowed > 0);
    const before = performance.now();
    await Promise.all([away.close(), stuck.close()]);
    await away.close();
    assert.ok(performance.now() - before < 1500, `${performance.now() - before} ms`);
    await until('the wire has closed', () => left().length === 0);
  });

  it('leaves nothing at whatever moment of the start it comes', async (t) => {
    const stage = await Stage.open(t);
    const moments = Array.from({ length: 40 }, (_, i) => i * 2);
    await Promise.all(
      moments.map(async (ms) => {
        const consumer = await stage.consume(t, () => undefined);
        await sleep(ms);
        await consumer.close();
      }),
    );
    await until('sockets and timers have gone', () => left().length === 0);
    assert.equal(await connections(stage), 0);
    assert.deepEqual(stage.faults, []);
  });

  it('before the connection to RabbitMQ was begun keeps it from being opened', async (t) => {
    const { wire, url } = await Wire.open(t, servers.amqpUrl);
    const server = readServerUrl('amqpUrl', url, ['amqp']);
    const options = { server, queue: 'any', onDelivery: () => undefined, onLost: () => undefined };
    await assert.rejects(openFrameQueue(options, AbortSignal.abort()), { code: 'rabbitmq-unreachable' });
    // Had it been begun, it would have arrived before this one.
    const later = net.connect(Number(new URL(url).port), '127.0.0.1');
    await until('a later connection has arrived', () => wire.connections > 0);
    later.destroy();
    assert.equal(wire.connections, 1);
  });

  it('is forced on a server that falls silent while consuming', async (t) => {
    const stage = await Stage.open(t);
    const [store, queue] = await Promise.all([Wire.open(t, servers.redisUrl), Wire.open(t, servers.amqpUrl)]);
    const consumer = await stage.consume(t, () => undefined, { redisUrl: store.url, amqpUrl: queue.url });
    await until('it consumes', () => stage.starts === 1);
    store.wire.silent = true;
    queue.wire.silent = true;
    const before = performance.now();
    await consumer.close();
    assert.ok(performance.now() - before < 4000, `${performance.now() - before} ms`);
    await until('sockets and timers have gone', () => left().length === 0);
  });
});

describe('runProcess', () => {
  const quiet: ProcessOptions['log'] = () => undefined;

  it('saves exactly as many frames as --count says and leaves the others', async (t) => {
    const stage = await Stage.open(t);
    const out = await temporaryFolder(t);
    for (let i = 0; i < 8; i += 1) await stage.send();
    const { signal } = new AbortController();
    const counters = await runProcess({ ...servers, queue: stage.queue, out, count: 3, signal, log: quiet });
    assert.deepEqual(counters, { processed: 3, expired: 0, invalid: 0, failed: 0 });
    assert.equal((await readdir(path.join(out, 'gate'))).length, 3);
    await until('five are left', async () => (await stage.waiting()) === 5);
    assert.equal((await redis.keys(`${stage.namespace}:frame:*`)).length, 5);
  });

  it('ends on abort and logs what it did; a damaged frame does not stop it', async (t) => {
    const stage = await Stage.open(t);
    const lines: string[] = [];
    const ending = new AbortController();
    const log: ProcessOptions['log'] = (level, message, fields) =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
    const ended = runProcess({ ...servers, queue: stage.queue, signal: ending.signal, log });
    await stage.send('png', (await picture('png')).subarray(0, 60));
    const good = await stage.send('webp');
    await until('the good frame has gone', async () => (await redis.exists(stage.key(good))) === 0);
    await until('the damaged one is a dead letter', async () => (await stage.waiting(stage.dead)) === 1);
    ending.abort();
    assert.deepEqual(await ended, { processed: 1, expired: 0, invalid: 0, failed: 1 });
    assert.match(lines[0] ?? '', /^info consuming /);
    assert.match(lines[1] ?? '', /^warn frame .*"code":"undecodable"/);
    assert.equal(lines.at(-1), 'info processed 1 frames {"processed":1,"expired":0,"invalid":0,"failed":1}');
    assert.equal(lines.length, 3);
  });

  it('says at once when it cannot save', async (t) => {
    const out = path.join(await temporaryFolder(t), 'file');
    await writeFile(out, '');
    const { signal } = new AbortController();
    await assert.rejects(runProcess({ ...servers, queue: 'any', out, signal, log: quiet }), {
      code: 'output-failed',
    });
  });
});

describe('examples/consumer.py', () => {
  const script = path.join(__dirname, '../../examples/consumer.py');

  it('prints and saves frames, rejects what is none, passes over what has expired', async (t) => {
    const stage = await Stage.open(t);
    const folder = await temporaryFolder(t);
    const endpoints = path.join(folder, 'endpoints.json');
    await writeFile(endpoints, JSON.stringify({ redis: servers.redisUrl, amqp: servers.amqpUrl }));
    stage.publish(
      Buffer.from('{"type": "vigil.frame.sampled.v1", "data": {"key": "ns:frame:../x:1:1x1:png"}}'),
    );
    stage.announce(stage.frame(await picture('jpeg')));
    const frames = [await stage.send('jpeg'), await stage.send('png'), await stage.send('webp')];
    await stage.send();

    const options = ['--endpoints', endpoints, '--out', path.join(folder, 'out'), '--count', '3'];
    const { stdout, stderr } = await run('/usr/bin/python3', [script, stage.queue, ...options]);
    const lines = stdout.trim().split('\n');
    assert.equal(lines.length, 3);
    assert.match(lines[1] ?? '', /^gate \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.123 64x48 png \d+ bytes$/);
    assert.match(stderr, /not a frame announcement/);
    assert.match(stderr, /has expired/);
    for (const { capturedAt, format } of frames) {
      const file = `${capturedAt}.${format === 'jpeg' ? 'jpg' : format}`;
      assert.deepEqual(
        await readFile(path.join(folder, 'out', 'gate', file)),
        await picture(format as PictureFormat),
      );
    }
    await until('one is left', async () => (await stage.waiting()) === 1);
    assert.equal(await stage.waiting(stage.dead), 1);
    assert.equal((await redis.keys(`${stage.namespace}:frame:*`)).length, 1);
  });

  for (const [order, mode] of [
    ['in order', []],
    ['with --latest', ['--latest']],
  ] as const) {
    it(`saves frames of every format as they were stored, ${order}`, async (t) => {
      const stage = await Stage.open(t);
      const folder = await temporaryFolder(t);
      const endpoints = path.join(folder, 'endpoints.json');
      await writeFile(endpoints, JSON.stringify({ redis: servers.redisUrl, amqp: servers.amqpUrl }));
      const bytes = Buffer.from('00000001650102', 'hex');
      const frames = FRAME_FORMATS.map((format) => stage.frame(bytes, format, `camera-${format}`));
      for (const frame of frames) {
        await redis.set(stage.key(frame), bytes, 'PX', 60_000);
        stage.announce(frame);
      }
      const args = ['--endpoints', endpoints, '--out', folder, '--count', String(frames.length)];
      await run('/usr/bin/python3', [script, stage.queue, ...args, ...mode], { timeout: 60_000 });
      for (const frame of frames) {
        const name = `${frame.capturedAt}.${frameExtension(frame.format)}`;
        assert.deepEqual(await readFile(path.join(folder, frame.camera, name)), bytes);
      }
      assert.equal(await stage.waiting(stage.dead), 0);
    });
  }

  it('ends with one line, and no password in it, when a server is away', async (t) => {
    const folder = await temporaryFolder(t);
    const endpoints = path.join(folder, 'endpoints.json');
    const absent = `amqp://user:hush@127.0.0.1:${await freePort()}`;
    await writeFile(endpoints, JSON.stringify({ redis: servers.redisUrl, amqp: absent }));
    await assert.rejects(run('/usr/bin/python3', [script, '--endpoints', endpoints]), (error) => {
      const { code, stderr } = error as { code: number; stderr: string };
      assert.equal(code, 1);
      assert.match(stderr, /^consumer\.py: /);
      assert.doesNotMatch(stderr, /hush|Traceback/);
      return true;
    });
  });
});
