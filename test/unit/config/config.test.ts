/** Configuration: what is wrong is named, what is right is complete, what is secret stays secret. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import Ajv from 'ajv';
import { editorSchema } from '../../../src/config/editor-schema';
import { ConfigurationError, type ConfigFault } from '../../../src/config/faults';
import { loadTopology, parseTopology } from '../../../src/config/load';
import { jsonPath, placeOfPointer, type Place } from '../../../src/config/paths';
import { STREAM_SCHEMES, TEST_PATTERNS } from '../../../src/config/schema';
import type { CameraSpec, Topology } from '../../../src/config/topology';

const ROOT = path.resolve(__dirname, '../../..');
const FILE = '/srv/vigil/actors.json';
const SECRET = 's3cr3t';
/** A valid camera to put beside what is under test. */
const GATE = { id: 'gate', test: 'testsrc2' };

type Entry = Record<string, unknown>;

/** What parsing threw, or undefined. */
function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

function topologyOf(value: unknown, environment: NodeJS.ProcessEnv = {}): Topology {
  return parseTopology(typeof value === 'string' ? value : JSON.stringify(value), FILE, environment);
}

function errorOf(value: unknown, environment: NodeJS.ProcessEnv = {}): ConfigurationError {
  const thrown = thrownBy(() => topologyOf(value, environment));
  assert.ok(thrown instanceof ConfigurationError, thrown instanceof Error ? thrown : 'nothing was thrown');
  return thrown;
}

function faultsOf(value: unknown, environment: NodeJS.ProcessEnv = {}): readonly ConfigFault[] {
  return errorOf(value, environment).faults;
}

/** The only camera of a configuration that has no other. */
function cameraOf(entry: Entry, rest: Entry = {}, environment: NodeJS.ProcessEnv = {}): CameraSpec {
  const [camera] = topologyOf({ ...rest, cameras: [{ id: 'gate', ...entry }] }, environment).cameras;
  assert.ok(camera !== undefined);
  return camera;
}

function urlOf(entry: Entry, environment: NodeJS.ProcessEnv = {}): string {
  const { source } = cameraOf(entry, {}, environment);
  assert.ok(source.kind === 'stream');
  return source.url;
}

function camera(entry: Entry): Entry {
  return { cameras: [{ id: 'gate', ...entry }] };
}

function rest(entry: Entry): Entry {
  return { ...entry, cameras: [GATE] };
}

describe('text that is not JSON', () => {
  const rows: readonly [string, string, number, number][] = [
    ['a comma too many in an object', '{"cameras": [],}', 1, 15],
    ['a comma too many in a list', '{"cameras": [\n  {"id": "a", "test": "testsrc2"},\n]}', 2, 34],
    ['a forgotten comma', '{\n  "redis": "embedded"\n  "cameras": []\n}', 3, 3],
    ['a forgotten comma between cameras', '{"cameras": [\n{"id": "a"}\n{"id": "b"}]}', 3, 1],
    ['a forgotten colon', '{\n"cameras" []}', 2, 11],
    ['a word that is none', '{"cameras": [],\n "redis": tru }', 2, 11],
    ['single quotes', "{'cameras': []}", 1, 2],
    ['a raw line end within a string', '{"cameras": ["a\nb"]}', 1, 14],
    ['a raw tab within a string', '{"cameras": ["a\tb"]}', 1, 14],
    ['an escape that is none', '{"cameras": ["\\x41"]}', 1, 14],
    ['a number with a leading zero', '{"cameras": [], "frames": {"expireMs": 05}}', 1, 41],
    ['text behind the end', '{"cameras": []}\n\n  x', 3, 3],
    ['a comment', '{\n  // the gate\n  "cameras": []\n}', 2, 3],
    ['text that ends too early', '{"cameras": [', 1, 14],
    ['nothing at all', '', 1, 1],
    ['a fault behind a byte order mark', '\uFEFF{"cameras" []}', 1, 12],
    ['a fault behind lines of Windows', '{\r\n"cameras" []}', 2, 11],
  ];
  for (const [what, text, line, column] of rows)
    it(`${what} is named with its place`, () => {
      const faults = faultsOf(text);
      assert.equal(faults.length, 1);
      assert.equal(faults[0]?.path, '$');
      const { problem } = faults[0];
      assert.match(problem, /^is not JSON: /);
      assert.match(problem, new RegExp(`line ${line}, column ${column}(?!\\d)`));
    });

  it('a byte order mark before what is, is no fault', () =>
    assert.equal(topologyOf('\uFEFF{"cameras": []}').cameras.length, 0));

  it('the text itself is not repeated: it holds passwords', () => {
    for (const text of [
      `{"cameras": [{"id": "a", "url": "rtsp://u:${SECRET}@h/",}]}`,
      `{"cameras": [{"id": "a", "password": "${SECRET}"]}`,
      `{"cameras": [{"id": "a", "password": ${SECRET}}]}`,
      `{"cameras": [{"id": "a", "password": "${SECRET}`,
      `"${SECRET}`,
    ])
      assert.doesNotMatch(errorOf(text).message, new RegExp(SECRET));
  });
});

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

describe('an unknown key', () => {
  const rows: readonly [Entry, string, string][] = [
    [rest({ namespce: 'x' }), '$.namespce', 'namespace'],
    [rest({ Cameras: [] }), '$.Cameras', 'cameras'],
    [rest({ log: { levle: 'info' } }), '$.log.levle', 'level'],
    [rest({ redis: { urll: 'redis://h' } }), '$.redis.urll', 'url'],
    [rest({ rabbitmq: { embeded: true } }), '$.rabbitmq.embeded', 'embedded'],
    [rest({ frames: { expireMS: 5000 } }), '$.frames.expireMS', 'expireMs'],
    [rest({ queue: { maxLenght: 5 } }), '$.queue.maxLenght', 'maxLength'],
    [rest({ spool: { maxByte: 5 } }), '$.spool.maxByte', 'maxBytes'],
    [rest({ actors: { stor: {} } }), '$.actors.stor', 'store'],
    [rest({ actors: { notifier: { mod: 'forked' } } }), '$.actors.notifier.mod', 'mode'],
    [rest({ cameraDefaults: { qualty: 5 } }), '$.cameraDefaults.qualty', 'quality'],
    [camera({ ...GATE, transprot: 'tcp' }), '$.cameras[0].transprot', 'transport'],
    [camera({ ...GATE, pasword: SECRET }), '$.cameras[0].pasword', 'password'],
    [camera({ ...GATE, usr: 'x', username: 'y' }), '$.cameras[0].usr', ''],
    [camera({ ...GATE, zzzzzz: 1 }), '$.cameras[0].zzzzzz', ''],
  ];
  for (const [value, at, meant] of rows)
    it(`${at} ${meant === '' ? 'lists the known ones' : `asks whether "${meant}" was meant`}`, () => {
      const fault = faultsOf(value).find((candidate) => candidate.path === at);
      assert.ok(fault !== undefined);
      if (meant === '') assert.match(fault.problem, /^unknown key; known here: id, enabled, url/);
      else assert.equal(fault.problem, `unknown key; did you mean "${meant}"?`);
    });

  for (const key of ['constructor', 'toString', 'hasOwnProperty'])
    it(`${key} is one, though every object has it`, () =>
      assert.match(faultsOf(`{"cameras": [], "${key}": 1}`)[0]?.problem ?? '', /^unknown key/));

  it('__proto__ is one too', () =>
    assert.match(
      faultsOf('{"cameras": [], "__proto__": {"namespace": "x"}}')[0]?.problem ?? '',
      /^unknown key/,
    ));
});

describe('a fault of meaning', () => {
  const BLANK = /contains a blank or a control character/;
  const rows: readonly [string, unknown, string, RegExp][] = [
    [
      'a camera without source',
      camera({}),
      '$.cameras[0]',
      /exactly one of "url", "still", "file" and "test", found none$/,
    ],
    [
      'a camera with url and test',
      camera({ url: 'rtsp://h/', test: 'testsrc2' }),
      '$.cameras[0]',
      /exactly one of .*found 2$/,
    ],
    ['a camera with url and file', camera({ url: 'rtsp://h/', file: 'a.mp4' }), '$.cameras[0]', /found 2$/],
    [
      'a camera with all three',
      camera({ url: 'rtsp://h/', file: 'a.mp4', test: 'testsrc2' }),
      '$.cameras[0]',
      /found 3$/,
    ],
    [
      'a repeated id',
      { cameras: [GATE, { ...GATE, id: 'b' }, GATE] },
      '$.cameras[2].id',
      /^"gate" is already the id of \$\.cameras\[0\]; ids are unique$/,
    ],
    [
      'the id of a disabled camera',
      { cameras: [{ ...GATE, enabled: false }, GATE] },
      '$.cameras[1].id',
      /already the id of/,
    ],
    [
      'a file: URL for a stream',
      camera({ url: 'file:///etc/passwd' }),
      '$.cameras[0].url',
      /found file:; a local video goes into "file"$/,
    ],
    [
      'a path for a stream',
      camera({ url: '/srv/a.mp4' }),
      '$.cameras[0].url',
      /found text without a scheme; a local video goes into "file"$/,
    ],
    [
      'an unknown scheme',
      camera({ url: 'ftp://h/a' }),
      '$.cameras[0].url',
      /begins with rtsp:\/\/, .*found ftp:$/,
    ],
    ['a protocol that runs programs', camera({ url: 'pipe:1' }), '$.cameras[0].url', /found pipe:$/],
    [
      'a protocol that joins files',
      camera({ url: 'concat:/etc/passwd' }),
      '$.cameras[0].url',
      /found concat:$/,
    ],
    [
      'a protocol behind a plus sign',
      camera({ url: 'rtsp+file://h/' }),
      '$.cameras[0].url',
      /found rtsp\+file:$/,
    ],
    ['a URL without host', camera({ url: 'rtsp:///live' }), '$.cameras[0].url', /and a host, found no host$/],
    ['a URL without slashes', camera({ url: 'rtsp:host/live' }), '$.cameras[0].url', /host/],
    ['a URL with a blank', camera({ url: 'rtsp://h/a b' }), '$.cameras[0].url', BLANK],
    ['a URL with a line end', camera({ url: 'rtsp://h/a\nfile /etc/passwd' }), '$.cameras[0].url', BLANK],
    ['a URL that ends in a line end', camera({ url: 'rtsp://h/a\n' }), '$.cameras[0].url', BLANK],
    ['a URL with a NUL', camera({ url: 'rtsp://h/a\u0000' }), '$.cameras[0].url', BLANK],
    ['a URL with a C1 control character', camera({ url: 'rtsp://h/a\u0085' }), '$.cameras[0].url', BLANK],
    ['a URL with a line separator', camera({ url: 'rtsp://h/a\u2028' }), '$.cameras[0].url', BLANK],
    ...[`'`, `"`, '`', '$', '{', '}', '|', '^', '\\', '<', '>', '!', '*', '(', ';', '=', '+', '&', ','].map(
      (mark): [string, Entry, string, RegExp] => [
        `a URL with ${mark} in its host`,
        camera({ url: `rtsp://c${mark}am/a` }),
        '$.cameras[0].url',
        /a character in its host|several hosts|cannot be read/,
      ],
    ),
    [
      'a URL whose password has a slash',
      camera({ url: `rtsp://u:${SECRET}/@h/` }),
      '$.cameras[0].url',
      /an "@" behind its host; .*"username" and "password" beside it; one of the path itself is written %40$/,
    ],
    [
      'a URL with an impossible port',
      camera({ url: 'rtsp://h:99999/' }),
      '$.cameras[0].url',
      /cannot be read/,
    ],
    [
      'credentials beside a file',
      camera({ file: 'a.mp4', username: 'u' }),
      '$.cameras[0].username',
      /^does not apply to a video file \("file"\); remove it$/,
    ],
    [
      'credentials beside a test picture',
      camera({ ...GATE, password: SECRET }),
      '$.cameras[0].password',
      /^does not apply to a test picture \("test"\); remove it$/,
    ],
    [
      'a server neither embedded nor elsewhere',
      rest({ redis: {} }),
      '$.redis',
      /has neither "embedded": true nor "url"/,
    ],
    ['a server that is only a port', rest({ redis: { port: 6379 } }), '$.redis', /has neither/],
    [
      'a server embedded and elsewhere',
      rest({ redis: { embedded: true, url: 'redis://h' } }),
      '$.redis',
      /has both "embedded" and "url"/,
    ],
    [
      'a port beside a url',
      rest({ redis: { url: 'redis://h', port: 6379 } }),
      '$.redis.port',
      /belongs to an embedded server; put the port into the URL/,
    ],
    [
      'a bound of memory for RabbitMQ',
      rest({ rabbitmq: { embedded: true, maxMemoryBytes: 20_000_000 } }),
      '$.rabbitmq.maxMemoryBytes',
      /^unknown key; "maxMemoryBytes" belongs in \$\.redis$/,
    ],
    [
      'a bound of memory for a Redis elsewhere',
      rest({ redis: { url: 'redis://h', maxMemoryBytes: 20_000_000 } }),
      '$.redis.maxMemoryBytes',
      /belongs to the embedded Redis/,
    ],
    [
      'a password for an embedded server',
      rest({ rabbitmq: { embedded: true, password: SECRET } }),
      '$.rabbitmq',
      /makes its own credentials/,
    ],
    [
      'a user name for an embedded server',
      rest({ rabbitmq: { embedded: true, username: 'u' } }),
      '$.rabbitmq',
      /makes its own credentials/,
    ],
    [
      'a redis server with an amqp URL',
      rest({ redis: 'amqp://h' }),
      '$.redis',
      /begins with redis:\/\/, rediss:\/\/, .*redis-cluster:\/\/, .*, found amqp:, or "embedded"$/,
    ],
    [
      'a rabbitmq server with an http URL',
      rest({ rabbitmq: { url: 'http://h' } }),
      '$.rabbitmq.url',
      /begins with amqp:\/\/, amqps:\/\/, found http:, or "embedded"$/,
    ],
    [
      'a misspelt "embedded"',
      rest({ redis: 'embeded' }),
      '$.redis',
      /found text without a scheme, or "embedded"$/,
    ],
    ['a server without host', rest({ redis: 'redis://' }), '$.redis', /host/],
    ['a server URL with a blank', rest({ redis: { url: 'redis://h /0' } }), '$.redis.url', BLANK],
  ];
  for (const [what, value, at, sentence] of rows)
    it(`${what} is found at ${at}`, () => {
      const fault = faultsOf(value).find((candidate) => candidate.path === at);
      assert.ok(fault !== undefined, JSON.stringify(faultsOf(value)));
      assert.match(fault.problem, sentence);
    });

  it('of a disabled camera is a fault all the same', () =>
    assert.deepEqual(
      faultsOf({
        cameras: [GATE, { id: 'off', enabled: false, url: 'ftp://h' }, { id: 'no', enabled: false }],
      }).map((fault) => fault.path),
      ['$.cameras[1].url', '$.cameras[2]'],
    ));

  const accepted: readonly [string, Entry][] = [
    ...STREAM_SCHEMES.map((scheme): [string, Entry] => [scheme, { url: `${scheme}://h/live` }]),
    ...TEST_PATTERNS.map((test): [string, Entry] => [test, { test }]),
    ['an address of IPv6', { url: 'rtsp://[2001:db8::1]:554/live' }],
    ['a password of its own', { url: 'rtsp://u:p%40ss@h/live' }],
  ];
  for (const [what, entry] of accepted) it(`${what} is none`, () => assert.equal(cameraOf(entry).id, 'gate'));

  const refused: readonly [string, Entry, string][] = [
    ['http:host, which is read as http://host', { url: 'http:h/live' }, '$.cameras[0].url'],
    ['http:\\\\host', { url: 'http:\\\\h\\live' }, '$.cameras[0].url'],
    ['a stream as "file"', { file: `rtsp://u:${SECRET}@h/live` }, '$.cameras[0].file'],
    ['a password with a slash behind digits', { url: `rtsp://u:12/${SECRET}@h/live` }, '$.cameras[0].url'],
  ];
  for (const [what, entry, at] of refused)
    it(`${what} is a fault`, () =>
      assert.deepEqual(
        faultsOf(camera(entry)).map((fault) => fault.path),
        [at],
      ));

  it('a server password that is no percent-encoding is a fault', () =>
    assert.deepEqual(
      faultsOf(rest({ redis: 'redis://:100%@h' })).map((fault) => fault.path),
      ['$.redis'],
    ));
});

describe('several faults', () => {
  it('of the schema are reported together, each once', () => {
    const faults = faultsOf({
      namespace: 'a b',
      redis: { port: 'x' },
      frames: { expireMs: 1, lifetime: 2 },
      cameras: [{ id: 'a b', rate: 9 }, { file: 5 }],
    });
    assert.deepEqual(faults.map((fault) => fault.path).sort(), [
      '$.cameras[0]',
      '$.cameras[0].id',
      '$.cameras[0].rate',
      '$.cameras[1].file',
      '$.cameras[1].id',
      '$.frames.expireMs',
      '$.frames.lifetime',
      '$.namespace',
      '$.redis',
      '$.redis.port',
    ]);
  });

  it('of meaning are reported together', () => {
    const faults = faultsOf({
      redis: {},
      rabbitmq: 'redis://h',
      cameras: [GATE, { ...GATE, password: SECRET }, { id: 'c', url: 'file:/a' }, { id: 'd' }],
    });
    assert.deepEqual(faults.map((fault) => fault.path).sort(), [
      '$.cameras[1].id',
      '$.cameras[1].password',
      '$.cameras[2].url',
      '$.cameras[3]',
      '$.rabbitmq',
      '$.redis',
    ]);
  });

  it('of schema and meaning are reported together', () => {
    const faults = faultsOf({ namespace: 'a b', cameras: [GATE, GATE, { id: 'c', url: 'file:/a' }] });
    assert.deepEqual(faults.map((fault) => fault.path).sort(), [
      '$.cameras[1].id',
      '$.cameras[2].url',
      '$.namespace',
    ]);
  });

  it('are each on a line of the message, behind the name of the file', () => {
    const { message, file, code } = errorOf({ namespace: 'a b', cameras: [{ ...GATE, rate: 9 }] });
    assert.equal(file, FILE);
    assert.equal(code, 'invalid-configuration');
    assert.deepEqual(
      message.split('\n').map((line) => line.split(': ')[0]),
      ['/srv/vigil/actors.json is not valid, nothing was changed:', '  $.namespace', '  $.cameras[0].rate'],
    );
  });
});

describe('a fault', () => {
  const FAULTY = {
    redis: 'http://h',
    frames: { expireMs: 1 },
    actors: { service: { shutdownMs: 9000 }, store: { drainMs: 2400 } },
    cameras: [
      { id: 'gate', url: 'rtsp://h/', rtae: 1 },
      { id: 'gate', url: 'ftp://h/' },
      { id: 'yard', test: 'testsrc2', format: 'keyframe' },
      { id: 'roof' },
    ],
  };
  const PLACES = [
    '$.actors',
    '$.actors.store.drainMs',
    '$.cameras[0].rtae',
    '$.cameras[1].id',
    '$.cameras[1].url',
    '$.cameras[2].format',
    '$.cameras[3]',
    '$.frames.expireMs',
    '$.redis',
  ];
  const placesIn = (value: unknown): string[] =>
    faultsOf(value)
      .map(({ path: at }) => at)
      .sort();

  it('hides no other: schema, URLs, ids, sources and sums are reported together', () =>
    assert.deepEqual(placesIn(FAULTY), PLACES));

  const BESIDE: readonly [string, Entry, string][] = [
    ['defaults that are no object', { cameraDefaults: 5 }, '$.cameraDefaults'],
    ['a default that does not fit', { cameraDefaults: { rate: 'x' } }, '$.cameraDefaults.rate'],
    ['an unknown kind of actor', { actors: { ...FAULTY.actors, other: {} } }, '$.actors.other'],
    ['an unknown key at the top', { other: 1 }, '$.other'],
    ['a namespace that is a list', { namespace: [] }, '$.namespace'],
    ['a variable that is not set', { namespace: '${NONE}' }, '$.namespace'],
    ['half a character', { namespace: '\ud800' }, '$.namespace'],
  ];
  for (const [what, entry, at] of BESIDE)
    it(`hides none where there is ${what}`, () =>
      assert.deepEqual(placesIn({ ...FAULTY, ...entry }), [...PLACES, at].sort()));

  it('of comments and trailing commas hides none either, and each is a sentence with its place', () => {
    const text = `// our cameras\n${JSON.stringify(FAULTY).slice(0, -1)}, /* , */ }`;
    const [comment, comma, second, ...others] = errorOf(text).faults.map(({ problem }) => problem);
    assert.equal(comment, 'is not JSON: a comment at line 1, column 1; JSON has no comments: remove it');
    const column = String(JSON.stringify(FAULTY).length);
    assert.equal(
      comma,
      `is not JSON: a trailing comma at line 2, column ${column}; JSON has no comma before } or ]: remove it`,
    );
    assert.match(second ?? '', /a comment at line 2/);
    assert.equal(others.length, PLACES.length);
    assert.deepEqual(placesIn(text).slice(3), PLACES);
  });

  it('is shown in README.md as it is reported', () => {
    const gate = { id: 'gate', url: 'rtsp://h/' };
    const said = thrownBy(() =>
      parseTopology(JSON.stringify({ cameras: [{ ...gate, rtae: 2 }, gate] }), 'actors.json', {}),
    );
    assert.ok(said instanceof ConfigurationError);
    const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
    assert.ok(readme.includes(`\`\`\`text\nvigil: ${said.message}\n\`\`\``), said.message);
  });

  it('of a value is not said again of what depends on it', () =>
    assert.deepEqual(
      placesIn({
        redis: { url: 5 },
        rabbitmq: { embedded: false },
        actors: { store: { shutdownMs: 'x', drainMs: 2400 } },
        cameras: [
          { id: 5, url: 7, tls: { ca: 5 } },
          { id: 'a', test: 'x', still: null },
        ],
      }),
      [
        '$.actors.store.shutdownMs',
        '$.cameras[0].id',
        '$.cameras[0].tls.ca',
        '$.cameras[0].url',
        '$.cameras[1]',
        '$.cameras[1].still',
        '$.cameras[1].test',
        '$.rabbitmq.embedded',
        '$.redis.url',
      ],
    ));

  it('of a key that is no name stands in brackets', () =>
    assert.deepEqual(placesIn({ '//': 'a comment', cameras: [{ ...GATE, 'a.b': 1, '0': 2 }] }), [
      '$.cameras[0]["0"]',
      '$.cameras[0]["a.b"]',
      '$["//"]',
    ]));
});

describe('a key that is not where it belongs', () => {
  const rows: readonly [string, Entry, string, RegExp][] = [
    [
      'name of a camera',
      camera({ test: 'testsrc2', name: 'x' }),
      '$.cameras[0].name',
      /^unknown key; known here: id, /,
    ],
    [
      'path of a camera',
      camera({ ...GATE, path: 'x' }),
      '$.cameras[0].path',
      /^unknown key; known here: id, /,
    ],
    [
      'host of a test camera',
      camera({ test: 'testsrc2', host: 'x' }),
      '$.cameras[0].host',
      /did you mean "url"\?$/,
    ],
    [
      'host beside a url',
      camera({ url: 'rtsp://h', host: 'x' }),
      '$.cameras[0].host',
      /^unknown key; known here/,
    ],
    ['fps', camera({ ...GATE, fps: 1 }), '$.cameras[0].fps', /did you mean "rate"\?$/],
    ['user', camera({ url: 'rtsp://h', user: 'x' }), '$.cameras[0].user', /did you mean "username"\?$/],
    [
      'letters that changed places',
      camera({ ...GATE, rtae: 1 }),
      '$.cameras[0].rtae',
      /did you mean "rate"\?$/,
    ],
    [
      'another way of writing',
      camera({ ...GATE, stall_ms: 1 }),
      '$.cameras[0].stall_ms',
      /did you mean "stallMs"\?$/,
    ],
    [
      'a camera’s setting at the top',
      rest({ rate: 1 }),
      '$.rate',
      /"rate" belongs in \$\.cameraDefaults or \$\.cameras\[N\]$/,
    ],
    ['a lifetime at the top', rest({ expireMs: 5000 }), '$.expireMs', /"expireMs" belongs in \$\.frames$/],
    ['a level at the top', rest({ level: 'info' }), '$.level', /"level" belongs in \$\.log$/],
    [
      'a source in the defaults',
      rest({ cameraDefaults: { url: 'rtsp://h' } }),
      '$.cameraDefaults.url',
      /"url" belongs in \$\.cameras\[N\]$/,
    ],
    [
      'a restart policy in a camera',
      camera({ ...GATE, maxRestarts: 1 }),
      '$.cameras[0].maxRestarts',
      /belongs in .*\$\.cameras\[N\]\.actor$/,
    ],
    [
      'a top-level key in a camera',
      camera({ ...GATE, namespace: 'x' }),
      '$.cameras[0].namespace',
      /"namespace" belongs in the top level of the file$/,
    ],
    [
      'a bound of the ledger in the queue',
      rest({ queue: { maxBytes: 5 } }),
      '$.queue.maxBytes',
      /"maxBytes" belongs in \$\.spool or \$\.ledger$/,
    ],
    ['a port in a camera', camera({ ...GATE, port: 554 }), '$.cameras[0].port', /^unknown key; known here/],
  ];
  for (const [what, value, at, sentence] of rows)
    it(`such as ${what} is told of in a sentence that does not mislead`, () => {
      const fault = faultsOf(value).find((candidate) => candidate.path === at);
      assert.match(fault?.problem ?? JSON.stringify(faultsOf(value)), sentence);
    });
});

describe('credentials of all cameras', () => {
  const cameraDefaults = { username: 'all', password: 'p@ss' };
  const rows: readonly [string, Entry, string | undefined][] = [
    ['are those of a stream without any', { url: 'rtsp://h/' }, 'rtsp://all:p%40ss@h/'],
    ['are those of a still picture', { still: 'http://h/' }, 'http://all:p%40ss@h/'],
    ['are not those of a URL that has its own', { url: 'rtsp://u:p@h/' }, 'rtsp://u:p@h/'],
    ['are not those of a URL with a user name', { url: 'rtsp://u@h/' }, 'rtsp://u@h/'],
    ['give way one by one', { url: 'rtsp://h/', password: 'own' }, 'rtsp://all:own@h/'],
    ['give way to none at all', { url: 'rtsp://h/', username: '', password: '' }, 'rtsp://h/'],
    ['mean nothing to a file', { file: '/a.mp4' }, undefined],
    ['mean nothing to a test picture', { test: 'testsrc2' }, undefined],
  ];
  for (const [what, entry, expected] of rows)
    it(what, () => {
      const { source } = cameraOf(entry, { cameraDefaults });
      assert.equal('url' in source ? source.url : undefined, expected);
    });
});

describe('a setting that a source does not have', () => {
  const rows: readonly [Entry, string][] = [
    [{ test: 'testsrc2', format: 'keyframe' }, 'format'],
    [{ test: 'testsrc2', transport: 'tcp' }, 'transport'],
    [{ test: 'testsrc2', hwaccel: 'auto' }, 'hwaccel'],
    [{ test: 'testsrc2', sampling: 'all' }, 'sampling'],
    [{ still: 'http://h/', matrix: 'bt709' }, 'matrix'],
    [{ still: 'http://h/', deinterlace: 'off' }, 'deinterlace'],
    [{ still: 'http://h/', maxDelayMs: 2000 }, 'maxDelayMs'],
    [{ file: 'a.mp4', redirects: 'any-host' }, 'redirects'],
    [{ file: 'a.mp4', tls: { verify: false } }, 'tls'],
    [{ url: 'rtsp://h/', redirects: 'any-host' }, 'redirects'],
    [{ url: 'http://h/', transport: 'udp' }, 'transport'],
    [{ url: 'rtsps://h/', transport: 'udp' }, 'transport'],
  ];
  for (const [entry, key] of rows)
    it(`is refused: ${JSON.stringify(entry)}`, () => {
      const [fault, ...others] = faultsOf(camera(entry));
      assert.deepEqual([fault?.path, others], [`$.cameras[0].${key}`, []]);
      assert.match(
        fault?.problem ?? '',
        /^(does not apply to a .*; remove it|is not possible for a .*; expected one of .*)$/,
      );
    });

  it('is ignored where it is one of all cameras', () => {
    const cameraDefaults = { format: 'keyframe', transport: 'udp', sampling: 'all', redirects: 'any-host' };
    const ofTest = cameraOf({ test: 'testsrc2' }, { cameraDefaults });
    assert.deepEqual([ofTest.format, ofTest.sampling], ['jpeg', 'auto']);
    const ofHttp = cameraOf({ url: 'http://h/' }, { cameraDefaults });
    assert.equal(ofHttp.format, 'keyframe');
    assert.deepEqual(ofHttp.source, { kind: 'stream', url: 'http://h/', transport: 'tcp', anyHost: true });
  });
});

describe('a reference to the environment', () => {
  const rows: readonly [string, string, NodeJS.ProcessEnv, string][] = [
    ['is replaced', 'rtsp://${HOST}/live', { HOST: 'cam' }, 'rtsp://cam/live'],
    [
      'is replaced wherever it stands',
      '${S}://${H}:${P}/${S}',
      { S: 'rtsp', H: 'cam', P: '554' },
      'rtsp://cam:554/rtsp',
    ],
    [
      'is not looked for in what it was replaced by',
      'rtsp://h/${A}',
      { A: '${B}', B: 'no' },
      'rtsp://h/${B}',
    ],
    ['is left alone behind a second dollar', 'rtsp://h/$${A}', { A: 'no' }, 'rtsp://h/${A}'],
    ['needs braces', 'rtsp://h/$A', { A: 'no' }, 'rtsp://h/$A'],
    ['may be empty', 'rtsp://h/${A}', { A: '' }, 'rtsp://h/'],
    ['may hold a dollar pattern', 'rtsp://h/${A}', { A: '$&$1$$' }, 'rtsp://h/$&$1$$'],
  ];
  for (const [what, url, environment, expected] of rows)
    it(what, () => assert.equal(urlOf({ url }, environment), expected));

  it('in a password may hold any character', () => {
    const password = 'a@b:c/d?e#f%g h"\'ü';
    const url = urlOf({ url: 'rtsp://h/', username: 'u', password: '${PW}' }, { PW: password });
    assert.equal(decodeURIComponent(new URL(url).password), password);
  });

  it('that is not set is a fault where it stands, and the only one there', () => {
    const faults = faultsOf({
      redis: { url: '${REDIS}' },
      cameras: [GATE, { id: '${ID}', url: 'rtsp://${HOST}/', password: '${PW}' }],
    });
    assert.deepEqual(
      new Set(faults),
      new Set(
        [
          ['$.redis.url', 'REDIS'],
          ['$.cameras[1].id', 'ID'],
          ['$.cameras[1].url', 'HOST'],
          ['$.cameras[1].password', 'PW'],
        ].map(([at = '', name = '']) => ({
          path: at,
          problem: `the environment variable ${name} is not set; set it, or write $\${${name}} for the literal text`,
        })),
      ),
    );
  });

  it('that is not set is named beside another in the same text', () => {
    const said = errorOf(camera({ url: 'rtsp://${A}:${B}@h/' })).message;
    assert.match(said, /variable A is/);
    assert.match(said, /variable B is/);
  });

  for (const name of ['', ' A', 'A-B', '1A', 'A.B'])
    it(`"${name}" names no variable`, () => {
      const [fault] = faultsOf(camera({ url: `rtsp://h/\${${name}}` }), { [name]: 'x' });
      assert.equal(fault?.path, '$.cameras[0].url');
      assert.match(fault.problem, /names no environment variable; expected letters, digits and "_"/);
    });

  it('without its closing brace is text', () =>
    assert.equal(urlOf({ url: 'rtsp://h/${A' }, { A: 'no' }), 'rtsp://h/${A'));

  it('leaves a value that does not fit unshown: it may be a secret', () =>
    assert.deepEqual(
      faultsOf(camera({ ...GATE, rate: '${R}', format: 'g${R}', quality: '$${R}' }), { R: SECRET }),
      [
        { path: '$.cameras[0].rate', problem: 'expected number, found a string (not shown)' },
        {
          path: '$.cameras[0].format',
          problem: 'expected one of "jpeg", "png", "webp", "keyframe", found a string (not shown)',
        },
        { path: '$.cameras[0].quality', problem: 'expected integer, found a string (not shown)' },
      ],
    ));

  it('finds no variable in Object.prototype', () => {
    const text = JSON.stringify(camera({ url: 'rtsp://h/', password: '${constructor}' }));
    assert.throws(() => parseTopology(text, FILE, process.env), ConfigurationError);
  });
});

const KEPT = { restart: 'permanent', backOff: { firstMs: 250, capMs: 30_000 } } as const;
/** How children are kept where actors.json says nothing. */
const CHILDREN = {
  store: { ...KEPT, maxRestarts: 10, periodMs: 60_000, startMs: 3000, shutdownMs: 2500 },
  notifier: { ...KEPT, maxRestarts: 10, periodMs: 60_000, startMs: 3000, shutdownMs: 1500 },
  web: { ...KEPT, maxRestarts: 5, periodMs: 300_000, startMs: 3000, shutdownMs: 1000, probeMs: 60_000 },
  service: { ...KEPT, maxRestarts: 3, periodMs: 600_000, startMs: 90_000, shutdownMs: 6000 },
};
const CAMERA_CHILD = {
  ...KEPT,
  maxRestarts: 5,
  periodMs: 300_000,
  startMs: 3000,
  shutdownMs: 2500,
  probeMs: 180_000,
};

describe('a complete topology', () => {
  it('comes of cameras alone: every default is filled in', () =>
    assert.deepEqual(topologyOf({ cameras: [GATE] }), {
      namespace: 'vigil',
      logLevel: 'info',
      redis: { kind: 'embedded' },
      rabbitmq: { kind: 'embedded' },
      http: { port: 8080, host: '127.0.0.1', names: [] },
      cameraIds: ['gate'],
      expireMs: 120_000,
      durability: 'memory',
      queue: { name: 'vigil.detection', maxLength: 100_000, overflow: 'reject-publish', deliveryLimit: 5 },
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
      cameras: [
        {
          id: 'gate',
          source: { kind: 'test', pattern: 'testsrc2' },
          periodMs: 1000,
          format: 'jpeg',
          quality: 80,
          sampling: 'auto',
          deinterlace: true,
          stallMs: 5000,
          maxDelayMs: 5000,
          frozenMs: 60_000,
          connectMs: 20_000,
          retryMs: 30_000,
          child: CAMERA_CHILD,
        },
      ],
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
      http: { port: 80, host: '::', names: ['cams'], token: 'secret' },
      cameraIds: [],
      expireMs: 5000,
      durability: 'durable',
      queue: { name: 'site-1.detection', maxLength: 7, overflow: 'drop-head', deliveryLimit: 2 },
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

describe('the file', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'vigil-config-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("of this repository is valid, also for editors' stricter eyes", () => {
    const file = path.join(ROOT, 'actors.json');
    const { cameras } = loadTopology(file, {});
    assert.ok(cameras.length > 0);
    const validate = new Ajv({ allowUnionTypes: true }).compile(editorSchema() as object);
    assert.ok(validate(JSON.parse(readFileSync(file, 'utf8'))), JSON.stringify(validate.errors));
    assert.ok(!validate({}), 'cameras are required');
    assert.ok(!validate({ cameras: [{ test: 'testsrc2' }] }), 'ids are required');
  });

  it('that is not there is named', () => {
    const thrown = thrownBy(() => loadTopology(path.join(folder, 'none.json'), {}));
    assert.ok(thrown instanceof ConfigurationError);
    assert.deepEqual(thrown.faults, [
      { path: '$', problem: 'there is no such file; name the configuration with --config FILE' },
    ]);
  });

  it('that is a folder cannot be read', () => {
    const thrown = thrownBy(() => loadTopology(folder, {}));
    assert.ok(thrown instanceof ConfigurationError);
    assert.match(thrown.faults[0]?.problem ?? '', /^cannot be read \(EISDIR\)/);
  });

  it('is read anew each time', () => {
    const file = path.join(folder, 'actors.json');
    writeFileSync(file, JSON.stringify({ cameras: [] }));
    assert.equal(loadTopology(file, {}).cameras.length, 0);
    writeFileSync(file, JSON.stringify({ cameras: [GATE] }));
    assert.equal(loadTopology(file, {}).cameras.length, 1);
  });
});

describe('the path of a server’s URL', () => {
  for (const [key, url] of [
    ['redis', 'redis://:hush@h/abc'],
    ['redis', 'redis-cluster://a,b/3'],
    ['rabbitmq', 'amqp://u:hush@h/a/b'],
  ] as const)
    it(`${url.replace('hush', '…')} is refused, in either form, without being shown`, () => {
      for (const [entry, at] of [
        [url, `$.${key}`],
        [{ url }, `$.${key}.url`],
      ] as const) {
        const faults = faultsOf({ [key]: entry, cameras: [] });
        assert.deepEqual(
          faults.map(({ path: place }) => place),
          [at],
        );
        assert.doesNotMatch(JSON.stringify(faults), /hush|abc|embedded/);
      }
    });
});

describe('a configuration without measure', () => {
  const many = (count: number, item: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => item(i)).join();
  const rows: readonly [string, () => string, RegExp][] = [
    [
      'of too many bytes',
      () => `{"cameras": []${' '.repeat(9_000_000)}}`,
      /^has more than 8388608 bytes, and is not read/,
    ],
    [
      'of too many characters of several bytes',
      () => `"${'é'.repeat(8_500_000)}"`,
      /^has more than 8388608 bytes/,
    ],
    [
      'of 2,000 levels',
      () => `{"cameras": ${'['.repeat(2000)}${']'.repeat(2000)}}`,
      /^is nested deeper than 32 levels at line 1, column 44;/,
    ],
    [
      'of levels that are never closed',
      () => '{"a":\n'.repeat(1_000_000),
      /^is nested deeper than 32 levels at line 33, column 1;/,
    ],
    [
      'of too many values',
      () => `{"cameras": [${many(300_000, () => '0')}]}`,
      /^holds more than 250000 values/,
    ],
    ['of too many keys', () => `{${many(300_000, (i) => `"k${i}":0`)}}`, /^holds more than 250000 values/],
  ];
  for (const [what, text, problem] of rows)
    it(`${what} is refused in one sentence, and not parsed`, () => {
      const [fault, ...others] = faultsOf(text());
      assert.deepEqual([fault?.path, others], ['$', []]);
      assert.match(fault?.problem ?? '', problem);
    });

  it('brackets, quotes and commas in text do not count', () => {
    const namespace = `[{"\\,`.repeat(1000);
    assert.deepEqual(
      faultsOf({ namespace, cameras: [] }).map(({ path: at }) => at),
      ['$.namespace'],
    );
  });

  it('has its 36,000 faults listed in a moment', () => {
    const entry = { url: 'rtsp://h/', rate: 'a', ratee: 1, x: 2, y: 3 };
    const cameras = Array.from({ length: 9000 }, (_, i) => ({ id: `c${i}`, ...entry }));
    const startedMs = performance.now();
    assert.equal(faultsOf({ cameras }).length, 36_000);
    // A second here; half a minute where each fault was compared with each other.
    assert.ok(performance.now() - startedMs < 12_000);
  });

  it('has more faults than a call takes arguments', () => {
    const keys = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`k${i}`, 0]));
    assert.equal(faultsOf({ ...keys, cameras: [] }).length, 200_000);
  });

  it('of references that are not closed is looked through once', () => {
    const startedMs = performance.now();
    assert.deepEqual(faultsOf({ namespace: '${'.repeat(1_000_000), cameras: [] }).length, 1);
    assert.ok(performance.now() - startedMs < 12_000);
  });

  it('takes no more than a hundred references of one text', () => {
    const environment = { A: 'a'.repeat(10_000) };
    const problems = faultsOf({ namespace: '${A}'.repeat(1_000_000), cameras: [] }, environment).map(
      ({ problem }) => problem,
    );
    assert.match(problems.join(), /^holds more than 100 references/);
  });

  it('is no file that does not end', () => {
    const thrown = thrownBy(() => loadTopology('/dev/zero', {}));
    assert.ok(thrown instanceof ConfigurationError);
    assert.match(thrown.message, /has more than 8388608 bytes/);
  });
});

describe('a secret', () => {
  /** Every fault's text for a configuration, or nothing when it is valid. */
  function saidOf(value: unknown): string {
    const thrown = thrownBy(() => topologyOf(value));
    if (thrown === undefined) return '';
    assert.ok(thrown instanceof ConfigurationError, thrown instanceof Error ? thrown : 'no error');
    return thrown.message;
  }

  const WHOLE: Entry = {
    namespace: 'site',
    redis: { url: `redis://u:${SECRET}1@h:6379/0`, username: `${SECRET}2`, password: `${SECRET}3` },
    rabbitmq: `amqp://u:${SECRET}4@h/v`,
    queue: { name: 'q' },
    cameraDefaults: { rate: 1 },
    cameras: [
      { id: 'a', url: `rtsp://u:${SECRET}5@h/live?token=${SECRET}6` },
      { id: 'b', url: 'rtsps://h/live', username: `${SECRET}7`, password: `${SECRET}8` },
    ],
  };

  it('is in no fault, whatever else is wrong: every place of a file, every wrong value', () => {
    let faulty = 0;
    for (const place of placesOf(WHOLE))
      for (const wrong of [
        null,
        true,
        7,
        -1,
        '',
        'x',
        'rtsp://',
        'file:/',
        [],
        [7],
        {},
        { x: 1 },
        undefined,
      ]) {
        const said = saidOf(replaced(WHOLE, place, wrong));
        if (said !== '') faulty++;
        assert.doesNotMatch(said, new RegExp(SECRET), `${place.join('.')} = ${JSON.stringify(wrong)}`);
      }
    assert.ok(faulty > 150, `${faulty} of them are faults`);
  });

  const rows: readonly [string, Entry][] = [
    ['a URL of an unknown scheme', camera({ url: `ftp://u:${SECRET}@h/` })],
    ['a URL with a blank', camera({ url: `rtsp://u:${SECRET} @h/` })],
    ['a URL that cannot be read', camera({ url: `rtsp://u:${SECRET}/x@h/` })],
    ['a URL without host', camera({ url: `rtsp:u:${SECRET}@h/` })],
    ['a URL without scheme', camera({ url: `u:${SECRET}@h/` })],
    ['a URL whose scheme is the user', camera({ url: `admin:${SECRET}@h/` })],
    ['a server URL without scheme', rest({ redis: `:${SECRET}@h` })],
    ['a server URL of an unknown scheme', rest({ rabbitmq: { url: `http://u:${SECRET}@h` } })],
    ['a server URL that is a list', rest({ redis: [`redis://:${SECRET}@h`] })],
    ['a password that is a list', camera({ url: 'rtsp://h/', password: [SECRET] })],
    ['a password beside a test picture', camera({ ...GATE, password: SECRET })],
    ['a password under a misspelt key', camera({ ...GATE, pasword: SECRET })],
  ];
  for (const [what, value] of rows)
    it(`in ${what} is not shown`, () => {
      const said = saidOf(value);
      assert.notEqual(said, '');
      assert.doesNotMatch(said, new RegExp(SECRET));
    });

  const url = `rtsp://u:${SECRET}@h/`;
  const shown: readonly [string, Entry][] = [
    ['a URL that stands for a camera', { cameras: [url] }],
    ['a URL that stands for all cameras', { cameras: url }],
    ['a URL that stands for an id', camera({ ...GATE, id: url })],
    ['a URL that stands for a test picture', camera({ test: url })],
    ['a URL that stands for an object', rest({ queue: url })],
    ['a password that looks like a reference', camera({ url: 'rtsp://h/', password: `\${${SECRET}!}` })],
  ];
  for (const [what, value] of shown)
    it(`in ${what} is not shown`, () => assert.doesNotMatch(saidOf(value), new RegExp(SECRET)));

  it('that is no Unicode text is a fault of its path', () =>
    assert.notEqual(saidOf('{"cameras":[{"id":"a","url":"rtsp://h/","password":"\\ud800"}]}'), ''));
});

/** The places of a value, deepest last: `[]`, `['cameras']`, `['cameras', '0']`, ... */
function placesOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [
    [],
    ...Object.entries(value).flatMap(([key, item]) => placesOf(item).map((place) => [key, ...place])),
  ];
}

/** A copy with one place changed; undefined removes it. */
function replaced(value: unknown, place: readonly string[], by: unknown): unknown {
  const [key, ...deeper] = place;
  if (key === undefined) return by ?? null;
  const entries = Object.entries(value as object)
    .map(
      ([name, item]: [string, unknown]) => [name, name === key ? replaced(item, deeper, by) : item] as const,
    )
    .filter(([name]) => name !== key || deeper.length > 0 || by !== undefined);
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

describe('jsonPath', () => {
  const rows: readonly [Place, string][] = [
    [[], '$'],
    [['cameras', 3, 'rate'], '$.cameras[3].rate'],
    [['a/b', 'c~d', 'e~1f'], '$["a/b"]["c~d"]["e~1f"]'],
    [['//'], '$["//"]'],
    [['frames', '0'], '$.frames["0"]'],
    [['a.b', 'c d', '', 'e"f', 'größe', 'x-y'], '$["a.b"]["c d"][""]["e\\"f"].größe.x-y'],
  ];
  for (const [place, expected] of rows)
    it(`writes ${JSON.stringify(place)} as ${expected}`, () => assert.equal(jsonPath(place), expected));

  it('takes digits of a pointer for an index in a list alone', () => {
    const value = { list: [{ '0': 1 }], 'a/b': { '1': 2 } };
    assert.equal(jsonPath(placeOfPointer('/list/0/0', value)), '$.list[0]["0"]');
    assert.equal(jsonPath(placeOfPointer('/a~1b/1', value)), '$["a/b"]["1"]');
  });
});

describe('how children are kept', () => {
  const childOf = (own: Entry, general: Entry = {}) =>
    topologyOf({ actors: { camera: general }, cameras: [{ ...GATE, actor: own }] }).cameras[0]?.child;

  it('comes from the camera, else from actors.camera, else from the defaults', () =>
    assert.deepEqual(childOf({ maxRestarts: 1 }, { maxRestarts: 2, periodMs: 2000 }), {
      ...CAMERA_CHILD,
      maxRestarts: 1,
      periodMs: 2000,
    }));

  const BAD: readonly [string, Entry, string, RegExp][] = [
    ['an unknown restart type', { camera: { restart: 'always' } }, '$.actors.camera.restart', /permanent/],
    ['a probe of a store', { store: { probeMs: 5000 } }, '$.actors.store.probeMs', /unknown key/],
    ['a camera in memory', { camera: { mode: 'in-memory' } }, '$.actors.camera.mode', /forked/],
    ['a negative count', { notifier: { maxRestarts: -1 } }, '$.actors.notifier.maxRestarts', /0/],
    [
      'a drain as long as the shutdown',
      { store: { drainMs: 2500 } },
      '$.actors.store.drainMs',
      /is 2500 ms; expected at most 2000/,
    ],
    [
      'deadlines that add up to more than a service manager allows',
      { service: { shutdownMs: 9000 } },
      '$.actors',
      /add up to 15500 ms; expected at most 13000/,
    ],
  ];
  for (const [what, actors, at, problem] of BAD)
    it(`may not be ${what}`, () => {
      const faults = faultsOf(rest({ actors }));
      assert.deepEqual(
        faults.map(({ path: place }) => place),
        [at],
      );
      assert.match(faults[0]?.problem ?? '', problem);
    });

  it('counts the slowest camera, by its own deadline', () => {
    const slow = { ...GATE, actor: { shutdownMs: 3001 } };
    assert.deepEqual(
      faultsOf({ cameras: [{ ...GATE, id: 'a' }, slow] }).map(({ path: at }) => at),
      ['$.actors'],
    );
    assert.equal(topologyOf({ cameras: [{ ...GATE, actor: { shutdownMs: 3000 } }] }).cameras.length, 1);
  });
});
