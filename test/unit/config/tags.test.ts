/** Tags of cameras in a configuration: what they may be, and that a change of them restarts nothing. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { ConfigurationError } from '../../../src/config/faults';
import { namedCameras } from '../../../src/config/named-cameras';
import { tagsOf } from '../../../src/contract/tags';
import { wantedActors } from '../../../src/supervisor/actor-specs';
import { planChange } from '../../../src/supervisor/plan';
import { camera, faultsOf, GATE, SECRET, topologyOf } from './parsing';

const DIR = mkdtempSync(path.join(tmpdir(), 'vigil-tags-'));
after(() => rmSync(DIR, { recursive: true }));

describe('tags of a camera', () => {
  it('keep their order, for disabled cameras too; a camera without tags has none', () => {
    const cameras = [
      { ...GATE, tags: ['north', 'gate'] },
      { ...GATE, id: 'yard' },
      { ...GATE, id: 'off', enabled: false, tags: ['north'] },
    ];
    assert.deepEqual(topologyOf({ cameras }).tags, { gate: ['north', 'gate'], off: ['north'] });
  });

  it('may come from the environment', () =>
    assert.deepEqual(topologyOf(camera({ ...GATE, tags: ['${SITE}'] }), { SITE: 'north' }).tags, {
      gate: ['north'],
    }));

  const rows: readonly [string, unknown, string, RegExp][] = [
    ['a text', 'north', '$.cameras[0].tags', /^expected array, found "north"$/],
    ['null', null, '$.cameras[0].tags', /^expected array, found null$/],
    ['an object', {}, '$.cameras[0].tags', /^expected array, found an object$/],
    [
      '17',
      Array.from({ length: 17 }, (_, i) => `t${i}`),
      '$.cameras[0].tags',
      /^expected at most 16 entries, found 17$/,
    ],
    [
      'the same twice',
      ['a', 'b', 'a'],
      '$.cameras[0].tags',
      /^entries 0 and 2 are the same; remove one of them$/,
    ],
    ['an empty one', [''], '$.cameras[0].tags[0]', /found ""; expected: a tag of 1 to 32/],
    ['one of 33 letters', ['a'.repeat(33)], '$.cameras[0].tags[0]', /expected: a tag of 1 to 32/],
    ['one with a blank', ['a', 'b c'], '$.cameras[0].tags[1]', /found "b c"; expected: a tag/],
    ['one with a comma', ['b,c'], '$.cameras[0].tags[0]', /expected: a tag/],
    ['one with a quotation mark', ['b"c'], '$.cameras[0].tags[0]', /expected: a tag/],
    ['one with a line end', ['b\n'], '$.cameras[0].tags[0]', /expected: a tag/],
    ['a number', [7], '$.cameras[0].tags[0]', /^expected string, found 7$/],
  ];
  for (const [what, tags, at, problem] of rows)
    it(`are refused if they are ${what}`, () => {
      const [fault, ...others] = faultsOf(camera({ ...GATE, tags }));
      assert.deepEqual([fault?.path, others.map((other) => other.path)], [at, []]);
      assert.match(fault?.problem ?? '', problem);
    });

  it('from the environment are not shown when they are refused', () => {
    for (const tags of [['${TAG}', '${TAG}'], ['${TAG} x']])
      assert.doesNotMatch(JSON.stringify(faultsOf(camera({ ...GATE, tags }), { TAG: SECRET })), /s3cr3t/);
  });

  it('belong to their camera alone, whatever its id', () => {
    assert.deepEqual(tagsOf({}, 'constructor'), []);
    const id = '__proto__';
    const { tags } = topologyOf(camera({ ...GATE, id, tags: ['a'] }));
    assert.deepEqual([tagsOf(tags, id), tagsOf(tags, 'gate')], [['a'], []]);
  });

  it('change without a restart', () => {
    const surroundings = {
      ...{
        holder: { id: 'd', host: 'h', pid: 1, startedAt: 1, dataDir: '/d' },
        redisUrl: 'redis://r',
        amqpUrl: 'amqp://a',
      },
      ...{
        dataDir: '/d',
        spoolDir: '/s',
        newestDir: '/n',
        queuesFile: '/q',
        arriving: new Map(),
        ffmpegFor: () => 'ffmpeg',
      },
    } as unknown as Parameters<typeof wantedActors>[1];
    const of = (tags: readonly string[]) => {
      const topology = topologyOf(camera({ ...GATE, tags }));
      return { topology, actors: wantedActors(topology, surroundings) };
    };
    const { start, stop, restart, adjust } = planChange(of(['a']), of(['b']));
    assert.deepEqual(
      { start, stop, restart, adjust },
      { start: [], stop: [], restart: [], adjust: [{ name: 'notifier', because: ['tags'] }] },
    );
  });
});

describe('the cameras a configuration names', () => {
  const file = path.join(DIR, 'actors.json');
  const named = (value: unknown) => {
    writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
    return namedCameras(file);
  };

  it('are read whatever else is wrong with it', () => {
    const cameras = [
      { id: 'gate', tags: ['a', 7], url: '${UNSET}' },
      null,
      5,
      { id: 7 },
      { id: 'yard', tags: 'x' },
    ];
    assert.deepEqual(named({ nonsense: 1, cameras }), [
      { id: 'gate', tags: ['a'] },
      { id: 'yard', tags: [] },
    ]);
  });

  it('are an empty list if there are none', () => {
    for (const value of [null, [], 'null', { cameras: {} }, {}]) assert.deepEqual(named(value), []);
  });

  it('cannot be read from text that is not JSON', () => assert.throws(() => named('{'), ConfigurationError));
});
