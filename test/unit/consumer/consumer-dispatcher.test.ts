/** What a consumer does with frames while its connection to Redis is unusable and has not reported it yet. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { frameSampled } from '../../../src/contract/events';
import { Dispatcher } from '../../../src/consumer/dispatcher';
import { ConsumerError } from '../../../src/consumer/fault';
import { FaultReporter } from '../../../src/consumer/fault-reporter';
import type { FrameStore } from '../../../src/consumer/frame-store';
import { Subscription } from '../../../src/consumer/subscription';

function storeThat(retrieve: () => Promise<Buffer | null>): FrameStore {
  const nothing = () => Promise.resolve();
  return { retrieve, remove: nothing, text: () => Promise.resolve(null), close: nothing };
}

function frameOf(second: number): Buffer {
  const frame = {
    ...{ camera: 'gate', capturedAt: second * 1000, sequence: second },
    ...({ width: 64, height: 48, format: 'jpeg', bytes: 7 } as const),
  };
  return Buffer.from(JSON.stringify(frameSampled('test', frame, false, second * 1000)));
}

it('a pause that ends between two readings of the clock ends', async (t) => {
  let handled = 0;
  const dispatcher = new Dispatcher({
    settings: { prefetch: 1, removal: 'after', latestOnly: false },
    handler: () => {
      handled += 1;
      if (handled === 1) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    },
    faults: new FaultReporter(
      () => undefined,
      () => 0,
    ),
    store: () => storeThat(() => Promise.resolve(Buffer.from('picture'))),
    onTrouble: () => undefined,
    onFinished: () => undefined,
    onChange: () => undefined,
  });
  const subscription = new Subscription({
    queue: { subscribe: () => Promise.resolve() },
    window: 1,
    intake: () => dispatcher.intake,
    onFlowing: () => undefined,
  });
  const session = { signal: new AbortController().signal, subscription, end: () => undefined };
  const settled: string[] = [];
  dispatcher.accept({ body: frameOf(1), redelivered: false, settle: (how) => settled.push(how) }, session);
  dispatcher.pump();
  await new Promise(setImmediate);
  assert.ok(dispatcher.intake.isPaused);

  // The pause lasts 200 ms at most.
  const realNow = performance.now.bind(performance);
  let readings = 0;
  t.mock.method(performance, 'now', () => realNow() + 1000 * readings++);
  dispatcher.pump();
  t.mock.restoreAll();
  const deadlineMs = realNow() + 5000;
  while (settled.length === 0 && realNow() < deadlineMs) await sleep(10);
  assert.deepEqual(settled, ['ack']);
  dispatcher.stop();
});

it('a connection to Redis that refuses commands at once does not block the rest of the process', async () => {
  let tries = 0;
  const refusing = storeThat(() => {
    tries += 1;
    // Without an end, a dispatcher that does not wait would also keep this test from failing.
    if (tries > 1000) return Promise.resolve(Buffer.from('picture'));
    return Promise.reject(new ConsumerError('redis-unreachable', "Stream isn't writeable"));
  });
  const working = storeThat(() => Promise.resolve(Buffer.from('picture')));
  let store = refusing;
  const dispatcher = new Dispatcher({
    settings: { prefetch: 8, removal: 'after', latestOnly: false },
    handler: () => undefined,
    faults: new FaultReporter(
      () => undefined,
      () => performance.now(),
    ),
    store: () => store,
    onTrouble: () => undefined,
    onFinished: () => undefined,
    onChange: () => dispatcher.pump(),
  });
  const subscription = new Subscription({
    queue: { subscribe: () => Promise.resolve() },
    window: 8,
    intake: () => dispatcher.intake,
    onFlowing: () => undefined,
  });
  const session = { signal: new AbortController().signal, subscription, end: () => undefined };
  const settled: string[] = [];
  for (let second = 1; second <= 3; second += 1) {
    const body = frameOf(second);
    dispatcher.accept({ body, redelivered: false, settle: (how) => settled.push(how) }, session);
  }
  const beganMs = performance.now();
  await sleep(350);
  const rounds = 2 + (performance.now() - beganMs) / 100;
  assert.ok(tries >= 3 && tries <= 3 * rounds, `${tries} tries`);
  assert.deepEqual(settled, [], 'no frame is given up for it');
  store = working;
  dispatcher.pump();
  await new Promise(setImmediate);
  assert.deepEqual(settled, ['ack', 'ack', 'ack'], 'another connection is used at once');
  dispatcher.stop();
});
