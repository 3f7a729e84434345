/** References to the environment, and credentials in URLs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigurationError } from '../../../src/config/faults';
import { parseTopology } from '../../../src/config/load';
import { errorOf, FILE, SECRET, faultsOf, GATE, type Entry, camera, cameraOf } from './parsing';

function urlOf(entry: Entry, environment: NodeJS.ProcessEnv = {}): string {
  const { source } = cameraOf(entry, {}, environment);
  assert.ok(source.kind === 'stream');
  return source.url;
}

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

  it('that is not set is a fault at its place, and the only one there', () => {
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

  it('does not show a value that does not fit: it may be a secret', () =>
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
