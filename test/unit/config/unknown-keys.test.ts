/** Keys that do not exist, or not there. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SECRET, faultsOf, rest, GATE, type Entry, camera, cameraOf } from './parsing';

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
      if (meant === '') assert.match(fault.problem, /^unknown key; known here: id, enabled, tags, url/);
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
    it(`such as ${what} is reported in a sentence that does not mislead`, () => {
      const fault = faultsOf(value).find((candidate) => candidate.path === at);
      assert.match(fault?.problem ?? JSON.stringify(faultsOf(value)), sentence);
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

  it('is ignored if it is set for all cameras', () => {
    const cameraDefaults = { format: 'keyframe', transport: 'udp', sampling: 'all', redirects: 'any-host' };
    const ofTest = cameraOf({ test: 'testsrc2' }, { cameraDefaults });
    assert.deepEqual([ofTest.format, ofTest.sampling], ['jpeg', 'auto']);
    const ofHttp = cameraOf({ url: 'http://h/' }, { cameraDefaults });
    assert.equal(ofHttp.format, 'keyframe');
    assert.deepEqual(ofHttp.source, { kind: 'stream', url: 'http://h/', transport: 'tcp', anyHost: true });
  });
});
