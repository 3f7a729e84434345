/** Frame keys, file extensions and frame ids. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatOfExtension, frameExtension, frameId } from '../../../src/contract/frame';
import { frameKey, latestKey, parseFrameKey } from '../../../src/contract/key';
import { rounds, seededRandom } from '../../../lab/random';
import { ID_ALPHABET, randomFrame, FRAME } from './samples';

describe('a frame key', () => {
  it('holds namespace, camera, capture time, size and format', () =>
    assert.equal(frameKey('vigil', FRAME), 'vigil:frame:gate-1:1700000000123:1920x1080:jpeg'));

  it('is read back as it was written, for any frame', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < rounds(2000); i++) {
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
    for (let i = 0; i < rounds(2000); i++) {
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
  it('consists of camera and capture time alone', () => {
    assert.equal(frameId(FRAME), 'gate-1-1700000000123');
    assert.equal(frameId({ ...FRAME, ...{ sequence: 1, bytes: 1, width: 1 } }), frameId(FRAME));
  });

  it('differs for another frame, even if ids of cameras end in numbers', (t) => {
    const random = seededRandom(t);
    const frames = new Map<string, string>();
    for (let i = 0; i < rounds(5000); i++) {
      const frame = { camera: random.text('a1-', 1, 3), capturedAt: random.between(0, 120) };
      const whole = JSON.stringify(frame);
      assert.equal(frames.get(frameId(frame)) ?? whole, whole);
      frames.set(frameId(frame), whole);
    }
  });
});
