/** What an edit of actors.json touches, and what it leaves alone. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOpenedAlike } from '../../../src/actors/camera/feed/settings';
import { isShapedAlike } from '../../../src/actors/camera/pictures/shape';
import { planText } from '../../../src/commands/plan';
import { sentenceOf } from '../../../src/supervisor/plan';
import { isEmpty, planChange, refusals, type Plan } from '../../../src/supervisor/plan';
import { CAMERAS, HOOK, wantedBy, type Entry } from '../../../lab/wanted-actors';

const planOf = (edit: Entry): Plan => planChange(wantedBy({}), wantedBy(edit));
const [GATE, YARD] = CAMERAS as [Entry, Entry];
const ALL = ['notifier', 'store', 'web', 'camera:gate', 'camera:yard'];

describe('a plan', () => {
  const rows: readonly [string, Entry, Partial<Plan>][] = [
    ['of no edit leaves all', {}, {}],
    ['of another order of cameras leaves all', { cameras: [YARD, GATE] }, {}],
    [
      'of a new camera starts it',
      { cameras: [...CAMERAS, { id: 'new', test: 'testsrc2' }] },
      { start: ['camera:new'] },
    ],
    ['of a removed camera stops it', { cameras: [GATE] }, { stop: ['camera:yard'] }],
    [
      'of a disabled camera stops it',
      { cameras: [GATE, { ...YARD, enabled: false }] },
      { stop: ['camera:yard'] },
    ],
    [
      'of a rate is handed to that camera',
      { cameras: [GATE, { ...YARD, rate: 2 }] },
      { adjust: [{ name: 'camera:yard', because: ['periodMs'] }] },
    ],
    [
      'of a password is handed to that camera and not shown',
      { cameras: [{ ...GATE, password: 'b' }, YARD] },
      { adjust: [{ name: 'camera:gate', because: ['source'] }] },
    ],
    [
      'of a default is handed to the cameras that have no value of their own',
      { cameraDefaults: { quality: 50 }, cameras: [GATE, { ...YARD, quality: 80 }] },
      { adjust: [{ name: 'camera:gate', because: ['quality'] }] },
    ],
    [
      'of a camera’s restart policy restarts nothing',
      { cameras: [GATE, { ...YARD, actor: { maxRestarts: 1 } }] },
      { adjust: [{ name: 'camera:yard', because: ['maxRestarts'] }] },
    ],
    [
      'of the log level and the budget restarts nothing',
      { log: { level: 'debug' }, supervision: { restartsPerMinute: 1 } },
      { adjust: [{ name: 'daemon', because: ['logLevel', 'supervision'] }] },
    ],
    [
      'of the servers’ policy restarts nothing',
      { actors: { service: { maxRestarts: 1 } } },
      { adjust: [{ name: 'daemon', because: ['service'] }] },
    ],
    [
      'of an actor’s mode restarts that actor',
      { actors: { store: { mode: 'in-memory' } } },
      { restart: [{ name: 'store', because: ['mode'] }] },
    ],
    [
      'of the expiry is handed to store and notifier',
      { frames: { expireMs: 5000 } },
      {
        adjust: [
          { name: 'notifier', because: ['expireMs'] },
          { name: 'store', because: ['expireMs'] },
        ],
      },
    ],
    [
      'of more settings than a running store can apply restarts it',
      { frames: { expireMs: 5000, durability: 'durable' } },
      {
        restart: [{ name: 'store', because: ['expireMs', 'durability'] }],
        adjust: [{ name: 'notifier', because: ['expireMs'] }],
      },
    ],
    [
      'of a camera’s setting and its restart policy names both',
      { cameras: [GATE, { ...YARD, rate: 2, actor: { maxRestarts: 1 } }] },
      { adjust: [{ name: 'camera:yard', because: ['periodMs', 'maxRestarts'] }] },
    ],
    ['of a webhook starts the actor that notifies it', { notify: [HOOK] }, { start: ['notices'] }],
    [
      'of the URL of a server restarts the actor that uses it',
      { redis: 'redis://elsewhere/' },
      { restart: [{ name: 'store', because: ['redisUrl'] }] },
    ],
  ];
  for (const [what, edit, expected] of rows)
    it(what, () => {
      const plan = planOf(edit);
      const { start = [], stop = [], restart = [], adjust = [] } = expected;
      const touched = [...stop, ...[...restart, ...adjust].map(({ name }) => name)];
      assert.deepEqual(
        { ...plan, leave: [...plan.leave].sort() },
        {
          start,
          stop,
          restart,
          adjust,
          leave: ALL.filter((name) => !touched.includes(name)).sort(),
        },
      );
      assert.equal(isEmpty(plan), Object.keys(expected).length === 0);
      assert.doesNotMatch(JSON.stringify(plan), /rtsp:|redis:/);
    });

  it('for another picture format needs only another decoder', () => {
    const [before, after] = ['png', 'webp'].map(
      (format) => wantedBy({ cameras: [{ ...GATE, format }] }).topology.cameras[0] ?? assert.fail(),
    );
    assert.ok(isOpenedAlike(before ?? assert.fail(), after ?? assert.fail()));
    assert.ok(!isShapedAlike(before ?? assert.fail(), after ?? assert.fail()));
  });

  const refused: readonly [string, Entry, Entry, string[]][] = [
    ['another URL', {}, { redis: 'redis://other/', rabbitmq: 'amqp://other/' }, []],
    ['embedded instead of a URL', {}, { redis: 'embedded' }, ['$.redis']],
    ['a URL instead of embedded', { rabbitmq: 'embedded' }, {}, ['$.rabbitmq']],
    [
      'another port of an embedded server',
      { redis: 'embedded' },
      { redis: { embedded: true, port: 7000 } },
      ['$.redis'],
    ],
    ['another user', {}, { user: 'vigil' }, ['$.user']],
    [
      'another memory limit of the embedded Redis',
      { redis: 'embedded' },
      { redis: { embedded: true, maxMemoryBytes: 20_000_000 } },
      ['$.redis'],
    ],
    ['the same embedded server', { redis: 'embedded' }, { redis: 'embedded' }, []],
  ];
  for (const [what, before, edit, paths] of refused)
    it(`${paths.length === 0 ? 'allows' : 'refuses'} ${what}`, () =>
      assert.deepEqual(
        refusals(wantedBy(before).topology, wantedBy(edit).topology).map(({ path }) => path),
        paths,
      ));

  it('is printed in lines, and as one sentence for the log', () => {
    const plan = planOf({
      cameras: [
        { ...GATE, rate: 2 },
        { id: 'new', test: 'testsrc2' },
      ],
      log: { level: 'warn' },
    });
    assert.equal(
      planText(plan),
      [
        'start    camera:new',
        'stop     camera:yard',
        'adjust   daemon  (logLevel)',
        'adjust   camera:gate  (periodMs)',
        'leave    notifier, store, web',
      ].join('\n'),
    );
    assert.equal(
      sentenceOf(plan),
      'start camera:new; stop camera:yard; adjust daemon (logLevel), camera:gate (periodMs); leave 3 as they are',
    );
    assert.equal(sentenceOf(planOf({})), 'nothing to do; leave 5 as they are');
  });
});
