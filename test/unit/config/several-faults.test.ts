/** All faults of a file, reported together. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ConfigurationError } from '../../../src/config/faults';
import { parseTopology } from '../../../src/config/load';
import { errorOf, FILE, thrownBy, SECRET, faultsOf, GATE, type Entry, ROOT } from './parsing';

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

  it('are each on a line of the message, after the name of the file', () => {
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
    ['defaults that are not an object', { cameraDefaults: 5 }, '$.cameraDefaults'],
    ['a default that does not fit', { cameraDefaults: { rate: 'x' } }, '$.cameraDefaults.rate'],
    ['an unknown kind of actor', { actors: { ...FAULTY.actors, other: {} } }, '$.actors.other'],
    ['an unknown key at the top', { other: 1 }, '$.other'],
    ['a namespace that is a list', { namespace: [] }, '$.namespace'],
    ['a variable that is not set', { namespace: '${NONE}' }, '$.namespace'],
    ['half a character', { namespace: '\ud800' }, '$.namespace'],
  ];
  for (const [what, entry, at] of BESIDE)
    it(`hides none if there is ${what}`, () =>
      assert.deepEqual(placesIn({ ...FAULTY, ...entry }), [...PLACES, at].sort()));

  it('in a trailing comma hides none either, and is a sentence with its place; comments are not faults', () => {
    const text = `// our cameras\n${JSON.stringify(FAULTY).slice(0, -1)}, /* , */ }`;
    const [comma, ...others] = errorOf(text).faults.map(({ problem }) => problem);
    const column = String(JSON.stringify(FAULTY).length);
    assert.equal(
      comma,
      `is not JSON: a trailing comma at line 2, column ${column}; JSON has no comma before } or ]: remove it`,
    );
    assert.equal(others.length, PLACES.length);
    assert.deepEqual(placesIn(text).slice(1), PLACES);
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

  it('in a value is not repeated for settings that depend on it', () =>
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

  it('of a key that is not an identifier is shown in brackets', () =>
    assert.deepEqual(placesIn({ '//': 'a comment', cameras: [{ ...GATE, 'a.b': 1, '0': 2 }] }), [
      '$.cameras[0]["0"]',
      '$.cameras[0]["a.b"]',
      '$["//"]',
    ]));
});
