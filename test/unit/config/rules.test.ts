/** What is well-formed and cannot be meant. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STREAM_SCHEMES, TEST_PATTERNS } from '../../../src/config/schema';
import { SECRET, faultsOf, rest, GATE, type Entry, camera, cameraOf } from './parsing';

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

  it('in a disabled camera is still a fault', () =>
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
  for (const [what, entry] of accepted)
    it(`${what} is not a fault`, () => assert.equal(cameraOf(entry).id, 'gate'));

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

  it('a server password with invalid percent-encoding is a fault', () =>
    assert.deepEqual(
      faultsOf(rest({ redis: 'redis://:100%@h' })).map((fault) => fault.path),
      ['$.redis'],
    ));
});
