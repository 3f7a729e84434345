/** What a change of each setting touches, as its description says. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { rootCertificates } from 'node:tls';
import { isOpenedAlike } from '../../../src/actors/camera/feed/settings';
import { isShapedAlike } from '../../../src/actors/camera/pictures/shape';
import { CAMERA_EFFECTS } from '../../../src/config/camera-setting';
import {
  CAMERA_SETTING_NAMES,
  cameraSetting,
  type CameraSettingName,
} from '../../../src/config/camera-settings';
import { ActorsFile } from '../../../src/config/schema';
import { isEmpty, planChange } from '../../../src/supervisor/plan';
import { CAMERAS, HOOK, wantedBy, type Entry } from '../../../lab/wanted-actors';

/** The part of JSON schema that is read here. */
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
  readonly multipleOf?: number;
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
  // For a server, the URL.
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
  // A certificate is verified only over TLS.
  const scheme = name === 'tls' ? 'rtsps' : (sources as readonly string[]).includes('rtsp') ? 'rtsp' : 'http';
  return { id: 'gate', url: `${scheme}://gate/` };
}

function otherValue({
  type,
  enum: values,
  default: usual,
  minimum = 0,
  maximum = Infinity,
  multipleOf: step = 1,
}: Schema): unknown {
  if (values !== undefined) return values.findLast((value) => value !== usual);
  if (type === 'boolean') return usual !== true;
  if (type === 'string') return 'other';
  if (type !== 'integer' && type !== 'number') return undefined;
  // If the default is defined elsewhere, it may be one of the first two values.
  if (typeof usual !== 'number') return Math.min(minimum + 2 * step, maximum);
  return usual > minimum ? Math.max(minimum, usual - step) : Math.min(usual + step, maximum);
}

/** A copy with one value set, the objects on the way made where they are missing. */
function merged(value: unknown, [key, ...deeper]: readonly string[], to: unknown): Entry {
  const entry = (value ?? {}) as Entry;
  if (key === undefined) throw new Error('nowhere');
  return { ...entry, [key]: deeper.length === 0 ? to : merged(entry[key], deeper, to) };
}

/** Actors that are restarted, by the effect that a setting states. */
const RESTARTED: Readonly<Record<string, readonly string[]>> = {
  none: [],
  live: [],
  'restarts the store': ['store'],
  'restarts the notifier': ['notifier'],
  'restarts store and notifier': ['notifier', 'store'],
  'restarts the store; live for cameras': ['store'],
  'restarts web': ['web'],
};

const [, YARD] = CAMERAS as [Entry, Entry];

describe('a plan', () => {
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

  it('is asked for each setting there is', () => assert.ok(settings.length > 40 && own.length > 15));
});
