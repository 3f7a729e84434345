/** Secrets of a configuration, which no message shows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigurationError } from '../../../src/config/faults';
import { topologyOf, thrownBy, SECRET, rest, GATE, type Entry, camera } from './parsing';

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

  it('that is not Unicode text is a fault of its path', () =>
    assert.notEqual(saidOf('{"cameras":[{"id":"a","url":"rtsp://h/","password":"\\ud800"}]}'), ''));
});
