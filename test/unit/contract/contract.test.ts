/** The contract with consumers: keys, messages, names and the document that describes them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TSchema } from '@sinclair/typebox';
import Ajv from 'ajv';
import { CloudEvent } from 'cloudevents';
import { asyncApiDocument } from '../../../src/contract/asyncapi';
import {
  CAMERA_ID_PATTERN,
  FRAME_FORMATS,
  formatOfExtension,
  frameExtension,
  frameId,
  type Frame,
} from '../../../src/contract/frame';
import { frameKey, latestKey, parseFrameKey } from '../../../src/contract/key';
import {
  cameraStateChanged,
  CLOUDEVENTS_JSON,
  frameSampled,
  framesMissed,
} from '../../../src/contract/events';
import {
  CameraStateChanged,
  FrameSampled,
  FramesMissed,
  type CameraState,
  type Gap,
  type VigilEvent,
} from '../../../src/contract/message';
import { deadLetterName, defaultQueue, frameExchange, routingKey } from '../../../src/contract/topology';
import { seededRandom, type Random } from '../../../lab/random';

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
const FRAME: Frame = {
  camera: 'gate-1',
  capturedAt: 1_700_000_000_123,
  sequence: 1_700_000_000,
  width: 1920,
  height: 1080,
  format: 'jpeg',
  bytes: 301_000,
};

function randomFrame(random: Random): Frame {
  return {
    camera: random.text(ID_ALPHABET, 1, 64),
    capturedAt: random.between(0, 9_999_999_999_999),
    sequence: random.between(0, 49_999_999_999),
    width: random.between(1, 65_535),
    height: random.between(1, 65_535),
    format: random.pick(FRAME_FORMATS),
    bytes: random.between(1, 134_217_728),
  };
}

describe('a frame key', () => {
  it('holds namespace, camera, capture time, size and format', () =>
    assert.equal(frameKey('vigil', FRAME), 'vigil:frame:gate-1:1700000000123:1920x1080:jpeg'));

  it('is read back as it was written, for any frame', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < 2000; i++) {
      const { camera, capturedAt, width, height, format } = randomFrame(random);
      const metadata = { camera, capturedAt, width, height, format };
      const namespace = random.text(ID_ALPHABET, 1, 64);
      assert.deepEqual(parseFrameKey(frameKey(namespace, metadata)), { namespace, ...metadata });
    }
  });

  const foreign = [
    '',
    'vigil:latest:gate',
    'vigil:frame:gate:1700000000123:1920x1080',
    'vigil:frame:gate:1700000000123:1920x1080:gif',
    'vigil:frame:gate:1700000000123:1920x1080:JPEG',
    'vigil:frame:gate:1700000000123:1920x1080:jpeg:x',
    'vigil:frame:gate:1700000000123:1920x1080:jpeg\n',
    '\nvigil:frame:gate:1700000000123:1920x1080:jpeg',
    ' vigil:frame:gate:1700000000123:1920x1080:jpeg',
    'vigil:frame:gate:1700000000123:1920:jpeg',
    'vigil:frame:gate:1700000000123:1920X1080:jpeg',
    'vigil:frame:gate:1700000000123:-1x1080:jpeg',
    'vigil:frame:gate:1700000000123:123456x1080:jpeg',
    'vigil:frame:gate:1700000000123.5:1920x1080:jpeg',
    'vigil:frame:gate:-1:1920x1080:jpeg',
    'vigil:frame:gate:1e12:1920x1080:jpeg',
    'vigil:frame:gate:9007199254740993:1920x1080:jpeg',
    'vigil:frame:gate::1920x1080:jpeg',
    'vigil:frame::1700000000123:1920x1080:jpeg',
    ':frame:gate:1700000000123:1920x1080:jpeg',
    'vigil:frames:gate:1700000000123:1920x1080:jpeg',
    'vigil:frame:ga te:1700000000123:1920x1080:jpeg',
    'vigil:frame:tür:1700000000123:1920x1080:jpeg',
    'vigil:frame:../x:1700000000123:1920x1080:jpeg',
    `vigil:frame:${'a'.repeat(65)}:1700000000123:1920x1080:jpeg`,
    `${'a'.repeat(65)}:frame:gate:1700000000123:1920x1080:jpeg`,
  ];
  for (const text of foreign)
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(parseFrameKey(text), undefined));

  it('with one letter changed is refused or means another frame, and is written as it was read', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < 2000; i++) {
      const key = frameKey('vigil', {
        ...randomFrame(random),
        camera: 'gate',
        capturedAt: 1_700_000_000_123,
      });
      const at = random.between(0, key.length - 1);
      const changed = key.slice(0, at) + random.text(':/x-9aZ.\n ', 1, 1) + key.slice(at + 1);
      const read = parseFrameKey(changed);
      if (read !== undefined) assert.equal(frameKey(read.namespace, read), changed);
    }
  });

  for (const key of ['vigil:frame:gate:01700000000123:1920x1080:jpeg', 'vigil:frame:gate:1:0640x0480:jpeg'])
    it(`is not ${key}: frameKey never writes it`, () => assert.equal(parseFrameKey(key), undefined));

  it('differs from every latest key', () => {
    assert.equal(latestKey('vigil', 'gate'), 'vigil:latest:gate');
    assert.equal(parseFrameKey(latestKey('vigil', 'frame')), undefined);
  });
});

describe('a file extension', () => {
  for (const [format, extension] of [
    ['jpeg', 'jpg'],
    ['png', 'png'],
    ['webp', 'webp'],
  ] as const)
    it(`of ${format} is ${extension}, and back`, () => {
      assert.equal(frameExtension(format), extension);
      assert.equal(formatOfExtension(extension), format);
    });

  for (const extension of ['', 'jpeg', 'JPG', 'tmp', 'gif'])
    it(`"${extension}" is of no format`, () => assert.equal(formatOfExtension(extension), undefined));
});

describe('a frame id', () => {
  it('is made of camera and capture time alone', () => {
    assert.equal(frameId(FRAME), 'gate-1-1700000000123');
    assert.equal(frameId({ ...FRAME, ...{ sequence: 1, bytes: 1, width: 1 } }), frameId(FRAME));
  });

  it('is another for another frame, also where ids of cameras end in numbers', (t) => {
    const random = seededRandom(t);
    const frames = new Map<string, string>();
    for (let i = 0; i < 5000; i++) {
      const frame = { camera: random.text('a1-', 1, 3), capturedAt: random.between(0, 120) };
      const whole = JSON.stringify(frame);
      assert.equal(frames.get(frameId(frame)) ?? whole, whole);
      frames.set(frameId(frame), whole);
    }
  });
});

const STATES: readonly CameraState[] = [
  { camera: 'gate-1', state: 'connecting', sinceMs: 1_700_000_000_000 },
  { camera: 'gate-1', state: 'streaming', sinceMs: 1_700_000_000_000 },
  {
    camera: 'gate-1',
    state: 'waiting',
    sinceMs: 0,
    fault: { code: 'refused', message: 'rtsp://cam/live refuses connections' },
  },
];
const GAP: Gap = { camera: 'gate-1', firstSequence: 5, lastSequence: 9, missed: 5, reason: 'stalled' };

const EVENTS: readonly (readonly [string, TSchema, () => VigilEvent])[] = [
  ['a sampled frame', FrameSampled, () => frameSampled('vigil', FRAME, false, FRAME.capturedAt + 90)],
  [
    'a delayed frame',
    FrameSampled,
    () => frameSampled('site_2', { ...FRAME, format: 'webp' }, true, FRAME.capturedAt + 9000),
  ],
  ...STATES.map(
    (state) =>
      [`camera ${state.state}`, CameraStateChanged, () => cameraStateChanged('vigil', state)] as const,
  ),
  ['a gap', FramesMissed, () => framesMissed('vigil', GAP, 1_700_000_000_999)],
];

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

    it(`of ${what} without any one of its members fits no more`, () => {
      const event = make();
      for (const key of Object.keys(event))
        assert.equal(ajv.validate(schema, { ...event, [key]: undefined }), false, key);
      const optional = new Set(['fault']);
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

  it('of a frame says all there is to know of it', () => {
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

describe('the AsyncAPI document', () => {
  type Node = Readonly<Record<string, unknown>>;
  const document = JSON.parse(JSON.stringify(asyncApiDocument('site'))) as Node;

  /** What stands at a JSON pointer of the document. */
  function at(pointer: string): unknown {
    return pointer
      .split('/')
      .filter((part) => part !== '')
      .reduce<unknown>((node, part) => (node as Node | undefined)?.[part], document);
  }

  function referencesOf(value: unknown): string[] {
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
      key === '$ref' ? [String(item)] : referencesOf(item),
    );
  }

  it('has the three messages, each on its own channel', () => {
    assert.equal(document['asyncapi'], '3.0.0');
    assert.equal(document['defaultContentType'], CLOUDEVENTS_JSON);
    assert.deepEqual(Object.keys(at('/components/messages') as Node), [
      'FrameSampled',
      'CameraStateChanged',
      'FramesMissed',
    ]);
    assert.deepEqual(
      Object.entries(at('/channels') as Readonly<Record<string, Node>>).map(
        ([kind, { address, messages }]) => [kind, address, messages],
      ),
      [
        ['frame', 'camera.{camera}.frame', { FrameSampled: { $ref: '#/components/messages/FrameSampled' } }],
        [
          'state',
          'camera.{camera}.state',
          { CameraStateChanged: { $ref: '#/components/messages/CameraStateChanged' } },
        ],
        ['gap', 'camera.{camera}.gap', { FramesMissed: { $ref: '#/components/messages/FramesMissed' } }],
      ],
    );
  });

  it('refers to nothing that is not in it', () => {
    const references = referencesOf(document);
    assert.equal(references.length, 6);
    for (const reference of references) {
      assert.match(reference, /^#\//);
      assert.notEqual(at(reference.slice(1)), undefined, reference);
    }
  });

  it('names the exchange of the namespace', () => {
    for (const kind of ['frame', 'state', 'gap'])
      assert.deepEqual(at(`/channels/${kind}/bindings/amqp/exchange`), {
        name: 'site.frames',
        type: 'topic',
        durable: true,
        autoDelete: false,
      });
  });

  it('describes the events as they are sent', () => {
    for (const [what, schema, make] of EVENTS) {
      const name =
        schema === FrameSampled
          ? 'FrameSampled'
          : schema === FramesMissed
            ? 'FramesMissed'
            : 'CameraStateChanged';
      const validate = new Ajv().compile(at(`/components/messages/${name}/payload`) as Node);
      assert.ok(validate(JSON.parse(JSON.stringify(make()))), what);
    }
  });
});
