/** The events, and the names they travel under. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Ajv from 'ajv';
import { CloudEvent } from 'cloudevents';
import { CAMERA_ID_PATTERN, frameId } from '../../../src/contract/frame';
import { frameKey } from '../../../src/contract/key';
import { cameraStateChanged, frameSampled, framesMissed } from '../../../src/contract/events';
import { CameraStateChanged, FrameSampled, FramesMissed } from '../../../src/contract/message';
import { deadLetterName, defaultQueue, frameExchange, routingKey } from '../../../src/contract/broker-names';
import { seededRandom } from '../../../lab/random';
import { ID_ALPHABET, randomFrame, FRAME, GAP, STATES, EVENTS } from './samples';

const ADDED = ['partitionkey', 'dataref', 'expirytime'];

describe('an event', () => {
  const ajv = new Ajv({ allErrors: true });

  for (const [what, schema, make] of EVENTS) {
    it(`of ${what} fits its schema and no other`, () => {
      const event: unknown = JSON.parse(JSON.stringify(make()));
      for (const candidate of [FrameSampled, CameraStateChanged, FramesMissed])
        assert.equal(ajv.validate(candidate, event), candidate === schema, ajv.errorsText());
    });

    it(`of ${what} is a CloudEvent 1.0`, () => {
      const event = make();
      const strict = new CloudEvent<unknown>(event, true);
      assert.ok(strict.validate());
      assert.equal(event.datacontenttype, 'application/json');
      assert.equal(event.source, `/vigil/${what === 'a delayed frame' ? 'site_2' : 'vigil'}/camera/gate-1`);
      assert.equal(event.subject, 'gate-1');
    });

    it(`of ${what} is the same each time it is made`, () => assert.deepEqual(make(), make()));

    it(`of ${what} without any one of its members no longer fits`, () => {
      const event = make();
      // Messages of older versions have none of the added ones.
      for (const key of Object.keys(event).filter((name) => !ADDED.includes(name)))
        assert.equal(ajv.validate(schema, { ...event, [key]: undefined }), false, key);
      const optional = new Set(['fault', 'tags', 'node', 'sourceWidth', 'sourceHeight', 'rotation']);
      for (const key of Object.keys(event.data).filter((name) => !optional.has(name)))
        assert.equal(
          ajv.validate(
            schema,
            JSON.parse(JSON.stringify({ ...event, data: { ...event.data, [key]: undefined } })),
          ),
          false,
          `data.${key}`,
        );
    });
  }

  it('of a frame contains everything there is to know about it', () => {
    const { data, id, time, type } = frameSampled('vigil', FRAME, true, FRAME.capturedAt + 9000);
    assert.deepEqual(data, { key: frameKey('vigil', FRAME), ...FRAME, delayed: true, ageMs: 9000 });
    assert.equal(id, frameId(FRAME));
    assert.equal(time, '2023-11-14T22:13:20.123Z');
    assert.equal(type, 'vigil.frame.sampled.v1');
  });

  it('of any frame fits its schema, and its time is the capture time', (t) => {
    const random = seededRandom(t);
    const validate = ajv.compile(FrameSampled);
    for (let i = 0; i < 500; i++) {
      const frame = randomFrame(random);
      const event = frameSampled(random.text(ID_ALPHABET, 1, 64), frame, random.next() < 0.5, Date.now());
      assert.ok(validate(event), ajv.errorsText(validate.errors));
      assert.equal(Date.parse(event.time), frame.capturedAt);
      assert.match(event.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
  });

  it('of a state has an id of its own for each state and time', () => {
    const ids = STATES.flatMap((state) =>
      [0, 1].map((later) => cameraStateChanged('vigil', { ...state, sinceMs: state.sinceMs + later }).id),
    );
    assert.equal(new Set(ids).size, ids.length);
  });

  it('of a gap has the id of its beginning and the time it was noticed', () => {
    const [first, again] = [framesMissed('vigil', GAP, 1), framesMissed('vigil', GAP, 2)];
    assert.equal(first.id, again.id);
    assert.equal(again.time, '1970-01-01T00:00:00.002Z');
    assert.notEqual(framesMissed('vigil', { ...GAP, firstSequence: 4 }, 1).id, first.id);
  });

  const wrong: readonly [string, Partial<Record<keyof FrameSampled['data'], unknown>>][] = [
    ['a camera with a blank', { camera: 'a b' }],
    ['a format of its own', { format: 'gif' }],
    ['no bytes', { bytes: 0 }],
    ['a width of 0', { width: 0 }],
    ['a fractional time', { capturedAt: 1.5 }],
    ['a negative sequence', { sequence: -1 }],
    ['"delayed" as text', { delayed: 'true' }],
  ];
  for (const [what, data] of wrong)
    it(`of a frame with ${what} does not fit`, () => {
      const event = frameSampled('vigil', FRAME, false, FRAME.capturedAt + 90);
      assert.equal(ajv.validate(FrameSampled, { ...event, data: { ...event.data, ...data } }), false);
    });
});

describe('a name on RabbitMQ', () => {
  const rows: readonly [string, string][] = [
    [frameExchange('site'), 'site.frames'],
    [defaultQueue('site'), 'site.detection'],
    [deadLetterName('site.detection'), 'site.detection.dead'],
    [routingKey('gate', 'frame'), 'camera.gate.frame'],
    [routingKey('gate', 'state'), 'camera.gate.state'],
    [routingKey('gate', 'gap'), 'camera.gate.gap'],
    [routingKey('*', 'frame'), 'camera.*.frame'],
  ];
  for (const [made, expected] of rows) it(`is ${expected}`, () => assert.equal(made, expected));

  it('has three words as a routing key for any camera: no id holds a dot', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < 200; i++) {
      const camera = random.text(ID_ALPHABET, 1, 64);
      assert.match(camera, new RegExp(CAMERA_ID_PATTERN));
      assert.deepEqual(routingKey(camera, 'frame').split('.'), ['camera', camera, 'frame']);
    }
    for (const letter of '.#*:/\\ \n%+~@é') assert.doesNotMatch(`a${letter}b`, new RegExp(CAMERA_ID_PATTERN));
  });
});
