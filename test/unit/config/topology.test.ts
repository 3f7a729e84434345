/** The complete topology that a valid file gives. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parseTopology } from '../../../src/config/load';
import type { CameraSpec } from '../../../src/config/topology';
import { cameraSpec } from '../../../lab/camera-spec';
import { topologyOf, FILE, rest, GATE, camera, cameraOf, CAMERA_CHILD, KEPT } from './parsing';

/** How children are kept where actors.json says nothing. */
const CHILDREN = {
  store: { ...KEPT, maxRestarts: 10, periodMs: 60_000, startMs: 3000, shutdownMs: 2500 },
  notifier: { ...KEPT, maxRestarts: 10, periodMs: 60_000, startMs: 3000, shutdownMs: 1500 },
  web: { ...KEPT, maxRestarts: 5, periodMs: 300_000, startMs: 3000, shutdownMs: 1000, probeMs: 60_000 },
  notices: { ...KEPT, maxRestarts: 5, periodMs: 300_000, startMs: 3000, shutdownMs: 1000, probeMs: 60_000 },
  service: { ...KEPT, maxRestarts: 3, periodMs: 600_000, startMs: 90_000, shutdownMs: 6000 },
};

describe('a complete topology', () => {
  it('is derived from cameras alone: every default is filled in', () =>
    assert.deepEqual(topologyOf({ cameras: [GATE] }), {
      namespace: 'vigil',
      logLevel: 'info',
      redis: { kind: 'embedded' },
      rabbitmq: { kind: 'embedded' },
      http: { port: 8080, host: '127.0.0.1', names: [], metricsTags: false },
      cameraIds: ['gate'],
      tags: {},
      notify: [],
      tracing: false,
      expireMs: 120_000,
      durability: 'memory',
      queue: {
        name: 'vigil.detection',
        maxLength: 100_000,
        overflow: 'reject-publish',
        deliveryLimit: 5,
        required: true,
      },
      services: [],
      removedServices: [],
      spool: {
        maxBytes: 1_073_741_824,
        maxAgeMs: 3_600_000,
        maxFrames: 200_000,
        minFreeBytes: 268_435_456,
        replay: 'oldest-first',
        replayRate: 150,
      },
      ledger: { keepHours: 168, maxBytes: 67_108_864 },
      modes: { store: 'forked', notifier: 'forked' },
      children: CHILDREN,
      drainMs: 1500,
      supervision: { restartsPerMinute: 60, parallelStarts: 4 },
      cameras: [{ ...cameraSpec(), child: CAMERA_CHILD }],
    }));

  it('of one file shares nothing with that of the next', () => {
    assert.equal(topologyOf({ cameras: [GATE], cameraDefaults: { quality: 5 } }).cameras[0]?.quality, 5);
    assert.equal(topologyOf({ cameras: [GATE] }).cameras[0]?.quality, 80);
  });

  it('has the values of the file in place of every default', () => {
    const { cameras, ...others } = topologyOf({
      $schema: './actors.schema.json',
      namespace: 'site-1',
      log: { level: 'debug' },
      redis: { embedded: true, port: 7000 },
      rabbitmq: 'amqp://broker/v',
      frames: { expireMs: 5000, durability: 'durable' },
      queue: { maxLength: 7, overflow: 'drop-head', deliveryLimit: 2 },
      spool: {
        maxBytes: 2_000_000,
        maxAgeMs: 2000,
        maxFrames: 500,
        minFreeBytes: 0,
        replay: 'none',
        replayRate: 20,
      },
      ledger: { keepHours: 24, maxBytes: 2_000_000 },
      actors: {
        store: { mode: 'in-memory', restart: 'transient', shutdownMs: 3000, drainMs: 2500 },
        notifier: { mode: 'in-memory', maxRestarts: 0, periodMs: 1000, backOffFirstMs: 1, backOffCapMs: 2 },
        web: { maxRestarts: 1, probeMs: 2000 },
        service: { startMs: 500, shutdownMs: 100 },
      },
      http: { port: 80, host: '::', names: ['cams'], token: 'secret' },
      supervision: { restartsPerMinute: 1, parallelStarts: 1000 },
      cameras: [],
    });
    assert.deepEqual(cameras, []);
    assert.deepEqual(others, {
      namespace: 'site-1',
      logLevel: 'debug',
      redis: { kind: 'embedded', port: 7000 },
      rabbitmq: { kind: 'remote', url: 'amqp://broker/v' },
      http: { port: 80, host: '::', names: ['cams'], token: 'secret', metricsTags: false },
      cameraIds: [],
      tags: {},
      notify: [],
      tracing: false,
      expireMs: 5000,
      durability: 'durable',
      queue: {
        name: 'site-1.detection',
        maxLength: 7,
        overflow: 'drop-head',
        deliveryLimit: 2,
        required: true,
      },
      services: [],
      removedServices: [],
      spool: {
        maxBytes: 2_000_000,
        maxAgeMs: 2000,
        maxFrames: 500,
        minFreeBytes: 0,
        replay: 'none',
        replayRate: 20,
      },
      ledger: { keepHours: 24, maxBytes: 2_000_000 },
      modes: { store: 'in-memory', notifier: 'in-memory' },
      children: {
        store: { ...CHILDREN.store, restart: 'transient', shutdownMs: 3000 },
        notifier: {
          ...CHILDREN.notifier,
          maxRestarts: 0,
          periodMs: 1000,
          backOff: { firstMs: 1, capMs: 2 },
        },
        web: { ...CHILDREN.web, maxRestarts: 1, probeMs: 2000 },
        notices: CHILDREN.notices,
        service: { ...CHILDREN.service, startMs: 500, shutdownMs: 100 },
      },
      drainMs: 2500,
      supervision: { restartsPerMinute: 1, parallelStarts: 1000 },
    });
  });

  it('names the queue as the file does', () =>
    assert.equal(topologyOf(rest({ queue: { name: 'a:b.c' } })).queue.name, 'a:b.c'));

  const SETTINGS: readonly [string, unknown, unknown, (spec: CameraSpec) => unknown][] = [
    ['rate', 2, 4, ({ periodMs }) => 1000 / periodMs],
    ['format', 'png', 'webp', ({ format }) => format],
    ['quality', 10, 20, ({ quality }) => quality],
    ['width', 320, 640, ({ width }) => width],
    ['transport', 'udp', 'tcp', ({ source }) => source.kind === 'stream' && source.transport],
    ['hwaccel', 'vaapi', 'auto', ({ hwaccel }) => hwaccel],
    ['stallMs', 2000, 3000, ({ stallMs }) => stallMs],
    ['maxDelayMs', 2000, 3000, ({ maxDelayMs }) => maxDelayMs],
    ['frozenMs', 0, 3000, ({ frozenMs }) => frozenMs],
    ['connectMs', 2000, 3000, ({ connectMs }) => connectMs],
    ['retryMs', 2000, 3000, ({ retryMs }) => retryMs],
  ];
  for (const [key, general, own, read] of SETTINGS)
    it(`takes "${key}" from the camera, else from cameraDefaults`, () => {
      const defaults = { cameraDefaults: { [key]: general } };
      assert.equal(read(cameraOf({ url: 'rtsp://h/' }, defaults)), general);
      assert.equal(read(cameraOf({ url: 'rtsp://h/', [key]: own }, defaults)), own);
    });

  for (const [url, expected] of [
    ['rtsp://h/a', { transport: 'udp', orTcp: true }],
    ['rtsps://h/a', { transport: 'tcp' }],
    ['http://h/a', { transport: 'tcp' }],
  ] as const)
    it(`has ${url} with "transport": "auto" tried over ${expected.transport} first`, () => {
      const { source } = cameraOf({ url, transport: 'auto' });
      assert.deepEqual(source, { kind: 'stream', url, ...expected });
    });

  it('leaves disabled cameras out and keeps the order of the others', () => {
    const ids = topologyOf({
      cameras: [
        { ...GATE, id: 'c' },
        { ...GATE, id: 'b', enabled: false },
        { ...GATE, id: 'a', enabled: true },
      ],
    }).cameras.map(({ id }) => id);
    assert.deepEqual(ids, ['c', 'a']);
  });

  const FILES: readonly [string, string, string][] = [
    [FILE, 'clips/a.mp4', '/srv/vigil/clips/a.mp4'],
    [FILE, '../a.mp4', '/srv/a.mp4'],
    [FILE, '/media/a b.mp4', '/media/a b.mp4'],
    ['conf/actors.json', 'a.mp4', path.join(process.cwd(), 'conf/a.mp4')],
  ];
  for (const [configuration, file, expected] of FILES)
    it(`finds ${file} beside ${configuration}`, () => {
      const text = JSON.stringify({ ...camera({ file }), ffmpeg: file });
      const { cameras, ffmpeg } = parseTopology(text, configuration, {});
      assert.deepEqual(cameras[0]?.source, { kind: 'file', path: expected });
      // A program without a folder is looked for on PATH.
      assert.equal(ffmpeg, file.includes('/') ? expected : file);
    });

  it('joins server credentials with the URL', () => {
    const { redis, rabbitmq } = topologyOf(
      rest({
        redis: { url: 'redis://h:6379/2', password: 'p@/' },
        rabbitmq: { url: 'amqps://old:one@h/v', username: 'ü', password: ':' },
      }),
    );
    assert.deepEqual(redis, { kind: 'remote', url: 'redis://:p%40%2F@h:6379/2' });
    assert.deepEqual(rabbitmq, { kind: 'remote', url: 'amqps://%C3%BC:%3A@h/v' });
  });
});
