/** What an edit of actors.json touches, and what it leaves alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { rootCertificates } from 'node:tls';
import { isOpenedAlike } from '../../../src/actors/camera/feed/settings';
import { isShapedAlike } from '../../../src/actors/camera/pictures/shape';
import { planText } from '../../../src/commands/plan';
import {
  CAMERA_EFFECTS,
  CAMERA_SETTING_NAMES,
  cameraSetting,
  type CameraSettingName,
} from '../../../src/config/camera-settings';
import { ActorsFile } from '../../../src/config/schema';
import { sentenceOf } from '../../../src/supervisor/live-configuration';
import { isEmpty, planChange, refusals, type Plan } from '../../../src/supervisor/plan';
import { CAMERAS, wantedBy, type Entry } from '../../../lab/wanted-actors';

/** What of JSON schema is read here. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly effect?: string;
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly default?: unknown;
  readonly isServer?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
}

const FILE = ActorsFile as unknown as Schema;

const DIR = mkdtempSync(path.join(tmpdir(), 'vigil-plan-'));
const CERTIFICATES = path.join(DIR, 'ca.pem');
writeFileSync(CERTIFICATES, rootCertificates[0] ?? '');
after(() => rmSync(DIR, { recursive: true }));

interface Setting {
  readonly at: readonly string[];
  readonly changed: unknown;
  readonly effect: string;
}

/** Every setting of a schema, outside lists, with another value than its default, or than the first. */
function settingsOf(schema: Schema, at: readonly string[] = [], inherited = ''): Setting[] {
  const effect = schema.effect ?? inherited;
  // Of a server the URL.
  if (schema.isServer === true)
    return [{ at, changed: `${at[0] === 'redis' ? 'redis' : 'amqp'}://other/`, effect }];
  if (schema.properties !== undefined)
    return Object.entries(schema.properties).flatMap(([key, inner]) =>
      settingsOf(inner, [...at, key], effect),
    );
  // A certificate needs its key, see test/unit/config/http.test.ts.
  if (at[0] === 'http' && ['cert', 'key'].includes(at.at(-1) ?? '')) return [];
  const key = at.at(-1);
  const changed = key === 'ca' ? CERTIFICATES : key === 'host' ? '127.0.0.2' : otherValue(schema);
  return changed === undefined ? [] : [{ at, changed, effect }];
}

/** A camera that has a setting, and takes it from `cameraDefaults`. */
function cameraWith([key = '', ...more]: readonly string[]): Entry {
  const [name] = key === 'cameraDefaults' ? more : [key];
  const { sources } = cameraSetting(
    (CAMERA_SETTING_NAMES as string[]).includes(name ?? '') ? (name as CameraSettingName) : 'rate',
  );
  // A certificate is verified over TLS alone.
  const scheme = name === 'tls' ? 'rtsps' : (sources as readonly string[]).includes('rtsp') ? 'rtsp' : 'http';
  return { id: 'gate', url: `${scheme}://gate/` };
}

function otherValue({
  type,
  enum: values,
  default: usual,
  minimum = 0,
  maximum = Infinity,
}: Schema): unknown {
  if (values !== undefined) return values.findLast((value) => value !== usual);
  if (type === 'boolean') return usual !== true;
  if (type === 'string') return 'other';
  if (type !== 'integer' && type !== 'number') return undefined;
  const from = typeof usual === 'number' ? usual : minimum;
  return from > minimum ? Math.max(minimum, from - 1) : Math.min(from + 1, maximum);
}

/** A copy with one value set, the objects on the way made where they are missing. */
function merged(value: unknown, [key, ...deeper]: readonly string[], to: unknown): Entry {
  const entry = (value ?? {}) as Entry;
  if (key === undefined) throw new Error('nowhere');
  return { ...entry, [key]: deeper.length === 0 ? to : merged(entry[key], deeper, to) };
}

/** Actors that are restarted, by what a setting says of its change. */
const RESTARTED: Readonly<Record<string, readonly string[]>> = {
  none: [],
  live: [],
  'restarts the store': ['store'],
  'restarts the notifier': ['notifier'],
  'restarts store and notifier': ['notifier', 'store'],
  'restarts the store; live for cameras': ['store'],
  'restarts web': ['web'],
};

const planOf = (edit: Entry): Plan => planChange(wantedBy({}), wantedBy(edit));
const [GATE, YARD] = CAMERAS as [Entry, Entry];
const HOOK = {
  ...{ webhook: 'https://h/', secret: `whsec_${'A'.repeat(40)}`, when: ['quarantined'] },
};
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
      'of more than a running store takes over restarts it',
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
    ['of a webhook starts who tells it', { notify: [HOOK] }, { start: ['notices'] }],
    [
      'of the URL of a server restarts who uses it',
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

  // What needs a restart of the daemon is refused, see below.
  const settings = settingsOf(FILE).filter(({ effect }) => !effect.startsWith('needs a restart'));
  for (const { at, changed, effect } of settings)
    it(`of ${at.join('.')} ${effect === 'none' ? 'is empty' : `says what docs/configuration.md does: ${effect}`}`, () => {
      const base = { cameras: [cameraWith(at), YARD], ...(at[1] === 'notices' ? { notify: [HOOK] } : {}) };
      const [before, after] = [base, merged(base, at, changed)].map(wantedBy);
      const plan = planChange(before ?? assert.fail(), after ?? assert.fail());
      const restarted = plan.restart.map(({ name }) => name).sort();
      assert.deepEqual([...plan.start, ...plan.stop], []);
      assert.deepEqual(restarted, RESTARTED[effect.replace(/^live.*/, 'live')], effect);
      assert.equal(plan.adjust.length > 0, /live/.test(effect));
      assert.equal(isEmpty(plan), effect === 'none');
    });

  // A camera has one source, and an id that is its name.
  const own = settingsOf(FILE.properties?.['cameras']?.items ?? {}).filter(
    ({ at: [key = ''] }) => !['id', 'url', 'still', 'file', 'test'].includes(key),
  );
  for (const { at, changed, effect } of own)
    it(`of a camera’s own ${at.join('.')} touches that camera alone`, () => {
      const gate = cameraWith(at);
      const before = wantedBy({ cameras: [gate, YARD] });
      const { start, stop, restart, adjust, leave } = planChange(
        before,
        wantedBy({ cameras: [merged(gate, at, changed), YARD] }),
      );
      const touched = [...start, ...stop, ...[...restart, ...adjust].map(({ name }) => name)];
      assert.deepEqual(touched, ['camera:gate']);
      assert.deepEqual(leave, ['notifier', 'store', 'web', 'camera:yard']);
      assert.equal(adjust.length, /^live/.test(effect) ? 1 : 0);
    });

  for (const { at, changed, effect } of own.filter(
    ({ effect: words }) => words !== 'live' && /^live/.test(words),
  ))
    it(`of a camera’s own ${at.join('.')} changes its feed: ${effect}`, () => {
      const gate = cameraWith(at);
      const [before, after] = [gate, merged(gate, at, changed)].map(
        (entry) => wantedBy({ cameras: [entry] }).topology.cameras[0] ?? assert.fail(),
      );
      const alike = (is: typeof isOpenedAlike) => is(before ?? assert.fail(), after ?? assert.fail());
      const isReopened = !alike(isOpenedAlike);
      const isOtherDecoder = !isReopened && !alike(isShapedAlike);
      const found = isReopened ? 'reopen' : isOtherDecoder ? 'decoder' : 'at-once';
      // "keyframe" is the one value of a format that is not decoded.
      if (at[0] !== 'format') assert.equal(CAMERA_EFFECTS[found], effect);
      else assert.ok(isReopened, 'to keyframe');
    });

  it('of another picture format needs another decoder alone', () => {
    const [before, after] = ['png', 'webp'].map(
      (format) => wantedBy({ cameras: [{ ...GATE, format }] }).topology.cameras[0] ?? assert.fail(),
    );
    assert.ok(isOpenedAlike(before ?? assert.fail(), after ?? assert.fail()));
    assert.ok(!isShapedAlike(before ?? assert.fail(), after ?? assert.fail()));
  });

  it('is asked for each setting there is', () => assert.ok(settings.length > 40 && own.length > 15));

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

  it('is told in lines, and in one sentence for the log', () => {
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
