/** Values that the schema refuses. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultsOf, rest, GATE, camera } from './parsing';

describe('a fault of the schema', () => {
  const rows: readonly [string, unknown, string, RegExp][] = [
    ['a list for the whole', [], '$', /^expected object, found a list$/],
    ['null for the whole', null, '$', /^expected object, found null$/],
    ['no cameras', {}, '$.cameras', /^is required$/],
    ['cameras that are an object', { cameras: {} }, '$.cameras', /^expected array, found an object$/],
    ['a camera that is null', { cameras: [null] }, '$.cameras[0]', /^expected object, found null$/],
    ['a camera without id', { cameras: [{ test: 'testsrc2' }] }, '$.cameras[0].id', /^is required$/],
    [
      'an id with a blank',
      camera({ ...GATE, id: 'a b' }),
      '$.cameras[0].id',
      /found "a b"; expected: .*1 to 64/,
    ],
    ['an id with a dot', camera({ ...GATE, id: 'a.b' }), '$.cameras[0].id', /found "a\.b"/],
    ['an id with a slash', camera({ ...GATE, id: '../etc' }), '$.cameras[0].id', /found "\.\.\/etc"/],
    ['an id with a colon', camera({ ...GATE, id: 'a:b' }), '$.cameras[0].id', /found "a:b"/],
    ['an id with a line end', camera({ ...GATE, id: 'a\n' }), '$.cameras[0].id', /found "a\\n"/],
    ['an id beyond ASCII', camera({ ...GATE, id: 'tür' }), '$.cameras[0].id', /found "tür"/],
    ['an empty id', camera({ ...GATE, id: '' }), '$.cameras[0].id', /found ""/],
    ['an id of 65 letters', camera({ ...GATE, id: 'a'.repeat(65) }), '$.cameras[0].id', /1 to 64/],
    ['an id that is a number', camera({ ...GATE, id: 7 }), '$.cameras[0].id', /^expected string, found 7$/],
    [
      'a rate of 0',
      camera({ ...GATE, rate: 0 }),
      '$.cameras[0].rate',
      /^expected at least 0\.1 and at most 5|^expected at least 0\.1, found 0$/,
    ],
    ['a rate of 5.1', camera({ ...GATE, rate: 5.1 }), '$.cameras[0].rate', /at most 5, found 5\.1$/],
    ['a rate in quotes', camera({ ...GATE, rate: '1' }), '$.cameras[0].rate', /^expected number, found "1"$/],
    ['a quality of 0', camera({ ...GATE, quality: 0 }), '$.cameras[0].quality', /at least 1 .*found 0$/],
    [
      'a quality of 101',
      camera({ ...GATE, quality: 101 }),
      '$.cameras[0].quality',
      /at most 100, found 101$/,
    ],
    [
      'a quality of 1.5',
      camera({ ...GATE, quality: 1.5 }),
      '$.cameras[0].quality',
      /^expected integer, found 1\.5$/,
    ],
    ['a width of 15', camera({ ...GATE, width: 15 }), '$.cameras[0].width', /at least 16 .*found 15$/],
    ['a width of 8193', camera({ ...GATE, width: 8193 }), '$.cameras[0].width', /at most 8192, found 8193$/],
    ['a stall limit of 999', camera({ ...GATE, stallMs: 999 }), '$.cameras[0].stallMs', /at least 1000/],
    [
      'a delay of 999',
      camera({ url: 'rtsp://h', maxDelayMs: 999 }),
      '$.cameras[0].maxDelayMs',
      /at least 1000/,
    ],
    [
      'a delay above 60000',
      camera({ url: 'rtsp://h', maxDelayMs: 60_001 }),
      '$.cameras[0].maxDelayMs',
      /at most 60000/,
    ],
    [
      'a connect limit of 600001',
      camera({ ...GATE, connectMs: 600_001 }),
      '$.cameras[0].connectMs',
      /at most 600000/,
    ],
    [
      'an unknown format',
      camera({ ...GATE, format: 'gif' }),
      '$.cameras[0].format',
      /^expected one of "jpeg", "png", "webp", "keyframe", found "gif"$/,
    ],
    [
      'an unknown transport',
      camera({ url: 'rtsp://h', transport: 'TCP' }),
      '$.cameras[0].transport',
      /^expected one of "tcp", "udp", "auto", found "TCP"$/,
    ],
    [
      'an unknown test picture',
      camera({ test: 'bars' }),
      '$.cameras[0].test',
      /^expected one of "testsrc2".*found "bars"$/,
    ],
    ['an empty url', camera({ url: '' }), '$.cameras[0].url', /^expected some text, found ""$/],
    ['an empty file', camera({ file: '' }), '$.cameras[0].file', /^expected some text, found ""$/],
    [
      '"enabled" in quotes',
      camera({ ...GATE, enabled: 'no' }),
      '$.cameras[0].enabled',
      /^expected boolean, found "no"$/,
    ],
    [
      'a rate of null among the defaults',
      rest({ cameraDefaults: { rate: null } }),
      '$.cameraDefaults.rate',
      /^expected number, found null$/,
    ],
    [
      'a namespace with a colon',
      rest({ namespace: 'a:b' }),
      '$.namespace',
      /found "a:b"; expected: .*letters/,
    ],
    [
      'an unknown log level',
      rest({ log: { level: 'trace' } }),
      '$.log.level',
      /^expected one of "error", "warn", "info", "debug", found "trace"$/,
    ],
    [
      'a lifetime below 2 s',
      rest({ frames: { expireMs: 1999 } }),
      '$.frames.expireMs',
      /at least 2000 .*found 1999$/,
    ],
    [
      'a lifetime above a week',
      rest({ frames: { expireMs: 604_800_001 } }),
      '$.frames.expireMs',
      /at most 604800000/,
    ],
    ['a queue of length 0', rest({ queue: { maxLength: 0 } }), '$.queue.maxLength', /at least 1 /],
    [
      'a queue name with a blank',
      rest({ queue: { name: 'a b' } }),
      '$.queue.name',
      /found "a b"; expected: queue/,
    ],
    [
      'an unknown overflow',
      rest({ queue: { overflow: 'drop' } }),
      '$.queue.overflow',
      /^expected one of "reject-publish", "drop-head", found "drop"$/,
    ],
    [
      'a spool below 1 MiB',
      rest({ spool: { maxBytes: 1000 } }),
      '$.spool.maxBytes',
      /^expected at least 1048576, found 1000$/,
    ],
    [
      'a spool age below 1 s',
      rest({ spool: { maxAgeMs: 1 } }),
      '$.spool.maxAgeMs',
      /^expected at least 1000, found 1$/,
    ],
    [
      'a camera in memory',
      rest({ actors: { camera: { mode: 'in-memory' } } }),
      '$.actors.camera.mode',
      /^expected one of "forked", found "in-memory"$/,
    ],
    [
      'a threaded store',
      rest({ actors: { store: { mode: 'threaded' } } }),
      '$.actors.store.mode',
      /^expected one of "forked", "in-memory", found "threaded"$/,
    ],
    ['an ffmpeg without a name', rest({ ffmpeg: '' }), '$.ffmpeg', /^expected some text, found ""$/],
    [
      'a server that is a number',
      rest({ redis: 6379 }),
      '$.redis',
      /found a number \(not shown\); expected: .*"embedded" for a private server/,
    ],
    [
      'a server that is a list',
      rest({ rabbitmq: [] }),
      '$.rabbitmq',
      /found a list \(not shown\); expected: .*amqps:\/\//,
    ],
    ['a server that is null', rest({ redis: null }), '$.redis', /null/],
    ['an empty server', rest({ redis: '' }), '$.redis', /expected: .*"embedded"/],
    [
      'a port of 0',
      rest({ redis: { embedded: true, port: 0 } }),
      '$.redis.port',
      /^expected at least 1 and at most 65535, found 0$/,
    ],
    [
      'a port of 65536',
      rest({ redis: { embedded: true, port: 65_536 } }),
      '$.redis.port',
      /at most 65535, found 65536$/,
    ],
    [
      'a port in quotes',
      rest({ rabbitmq: { embedded: true, port: '5672' } }),
      '$.rabbitmq.port',
      /^expected integer, found "5672"$/,
    ],
    [
      '"embedded": false',
      rest({ redis: { embedded: false } }),
      '$.redis.embedded',
      /^expected true, found false$/,
    ],
    [
      'a password that is a number',
      rest({ redis: { url: 'redis://h', password: 1234 } }),
      '$.redis.password',
      /^expected string, found a number \(not shown\)$/,
    ],
    [
      'a camera password that is a number',
      camera({ url: 'rtsp://h', password: 1234 }),
      '$.cameras[0].password',
      /^expected string, found a number \(not shown\)$/,
    ],
  ];
  for (const [what, value, at, sentence] of rows)
    it(`${what} is found at ${at}`, () => {
      const faults = faultsOf(value);
      assert.deepEqual(
        faults.map((fault) => fault.path),
        [at],
      );
      assert.match(faults[0]?.problem ?? '', sentence);
    });

  it('long text is cut', () => {
    const [fault] = faultsOf(camera({ ...GATE, format: 'x'.repeat(1000) }));
    assert.ok(fault !== undefined && fault.problem.length < 150);
  });
});
