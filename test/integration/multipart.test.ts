/** MJPEG answers as cameras write them, cut into pictures, with every oddity that browsers tolerate. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readContentType } from '../../src/actors/camera/http/content-type';
import { PictureCutter } from '../../src/actors/camera/http/multipart';
import { readJpeg } from '../../src/actors/camera/bitstream/jpeg';
import { encodedUnits } from '../../lab/encoded-units';

const CRLF = '\r\n';

describe('PictureCutter', async () => {
  const pictures = await encodedUnits({ source: 'testsrc2=size=320x240:rate=1', seconds: 4, codec: 'mjpeg' });
  const [first, second, third, fourth] = pictures;
  assert.ok(first !== undefined && second !== undefined && third !== undefined && fourth !== undefined);
  const one = first;

  interface PartOptions {
    readonly boundary?: string;
    readonly type?: string;
    readonly length?: boolean | number;
    readonly newline?: string;
    readonly tail?: Buffer | string;
  }
  const part = (picture: Buffer, options: PartOptions = {}) => {
    const { boundary = '--frame', type = 'image/jpeg', length = true, newline = CRLF } = options;
    const tail = Buffer.from(options.tail ?? '');
    const told = length === true ? picture.length + tail.length : length;
    const head = [
      ...(boundary === '' ? [] : [boundary]),
      ...(type === '' ? [] : [`Content-Type: ${type}`]),
      ...(told === false ? [] : [`Content-Length: ${told}`]),
    ].map((line) => line + newline);
    return Buffer.concat([Buffer.from(head.join('') + newline), picture, tail, Buffer.from(newline)]);
  };
  const stream = (options: PartOptions = {}) =>
    Buffer.concat(pictures.map((picture) => part(picture, options)));
  const cut = (body: Buffer, boundary: string | undefined, step: number) => {
    const cutter = new PictureCutter(boundary);
    const found: Buffer[] = [];
    for (let at = 0; at < body.length; at += step) found.push(...cutter.push(body.subarray(at, at + step)));
    return [...found, ...cutter.end()];
  };
  const withoutLineEnd = stream().toString('latin1').replaceAll('--frame\r\n', '--frame');
  const noise = Buffer.from(Array.from({ length: 513 }, (_, i) => (i * 7919) % 251));
  const thumbnail = Buffer.concat([
    one.subarray(0, 2),
    Buffer.from([0xff, 0xe1, (second.length + 2) >> 8, (second.length + 2) & 255]),
    second,
    one.subarray(2),
  ]);

  const whole: readonly [string, Buffer, string | undefined][] = [
    ['as the standard has them', stream(), 'frame'],
    ['with no boundary before the first', stream().subarray('--frame\r\n'.length), 'frame'],
    ['with parameters of their type', stream({ type: 'image/jpeg;size=12345' }), 'frame'],
    ['of the type image/jpg', stream({ type: 'image/jpg' }), 'frame'],
    ['of no type', stream({ type: '', length: false }), 'frame'],
    ['without any part header', stream({ type: '', length: false }), 'frame'],
    ['without a line end behind the boundary', Buffer.from(withoutLineEnd, 'latin1'), 'frame'],
    ['with bare line feeds', stream({ newline: '\n' }), 'frame'],
    ['without lengths', stream({ length: false }), 'frame'],
    ['with a length too small', stream({ length: 100 }), 'frame'],
    ['with a length too large', stream({ length: 999_999 }), 'frame'],
    ['of a boundary named with its dashes', stream(), '--frame'],
    ['of a boundary that is not named', stream(), undefined],
    ['of another boundary than is named', stream(), 'other'],
    ['padded with 513 bytes', stream({ tail: noise }), 'frame'],
    [
      'padded with 64 KiB and without a length',
      stream({ length: false, tail: Buffer.alloc(65_536) }),
      'frame',
    ],
    [
      'behind a preamble, before an epilogue',
      Buffer.from(`Hello${CRLF}${stream().toString('latin1')}--frame--${CRLF}bye`, 'latin1'),
      'frame',
    ],
    ['one behind the other', Buffer.concat(pictures), undefined],
    [
      'one behind the other with line ends between',
      Buffer.concat(pictures.flatMap((each) => [each, Buffer.from('\n')])),
      undefined,
    ],
    ['of a wrong type', stream({ type: 'text/plain' }), 'frame'],
  ];
  for (const [what, body, boundary] of whole)
    for (const step of [body.length, 1000, 7])
      it(`finds pictures ${what}, in pieces of ${step} bytes`, () => {
        const found = cut(body, boundary, step);
        assert.deepEqual(
          found.map((each) => each.length),
          pictures.map((each) => each.length),
        );
        for (const [i, picture] of pictures.entries()) assert.ok(found[i]?.equals(picture));
      });

  it('returns a picture with its last byte, whatever the length says', () => {
    for (const length of [true, false, 50, 999_999] as const) {
      const cutter = new PictureCutter('frame');
      const body = part(one, { length });
      assert.equal(cutter.push(body.subarray(0, -3)).length, 0);
      assert.equal(cutter.push(body.subarray(-3, -2)).length, 1, `length ${String(length)}`);
    }
  });

  it('skips parts that are not pictures, even if they contain one', () => {
    const sound = part(Buffer.concat([Buffer.alloc(5000, 7), one, noise]), { type: 'audio/basic' });
    const page = part(Buffer.from('<p>hello</p>'), { type: 'text/html' });
    const body = Buffer.concat([part(one), sound, part(second), page, part(third)]);
    for (const step of [body.length, 1000, 7])
      assert.deepEqual(
        cut(body, 'frame', step).map((each) => each.length),
        [one, second, third].map((each) => each.length),
      );
  });

  it('does not return a thumbnail, in a header or in padding, as a picture of its own', () => {
    const found = cut(Buffer.concat([part(thumbnail), part(thumbnail, { tail: second })]), 'frame', 1000);
    assert.deepEqual(
      found.map((each) => each.length),
      [thumbnail.length, thumbnail.length],
    );
  });

  it('returns a picture cut in its data without its end, and the next one whole', () => {
    for (const length of [true, false] as const)
      for (const at of [0.5, 0.9]) {
        const torn = one.subarray(0, at * one.length);
        const found = cut(Buffer.concat([part(torn, { length }), part(second), part(third)]), 'frame', 1000);
        assert.deepEqual(
          found.map((each) => readJpeg(each)?.whole),
          [false, true, true],
        );
        assert.ok(found[1]?.equals(second));
      }
  });

  it('drops a picture cut in its headers, and returns the next one whole', () => {
    for (let at = 3; at < 600; at += 41) {
      const found = cut(Buffer.concat([part(one.subarray(0, at)), part(second), part(third)]), 'frame', 1000);
      assert.ok(found.at(-1)?.equals(third), `cut at ${at}`);
      assert.ok(
        found.some((each) => each.equals(second)),
        `cut at ${at}`,
      );
      for (const each of found)
        assert.ok(each.equals(second) || each.equals(third) || readJpeg(each)?.whole !== true);
    }
  });

  it('gives up an endless picture before it exceeds 64 MiB', () => {
    const cutter = new PictureCutter('frame');
    const zeros = Buffer.alloc(1024 * 1024);
    cutter.push(part(one).subarray(0, 5000));
    let pieces = 0;
    assert.throws(
      () => {
        for (; ; pieces++) cutter.push(zeros);
      },
      { code: 'picture-too-large' },
    );
    assert.ok(pieces <= 64);
  });

  it('keeps only the part headers of data that is not a picture', () => {
    const cutter = new PictureCutter('frame');
    for (let i = 0; i < 200; i++) assert.deepEqual(cutter.push(Buffer.alloc(1024 * 1024, 'no picture ')), []);
    assert.ok(cutter.push(part(one))[0]?.equals(one));
  });
});

describe('readContentType', () => {
  for (const [header, type, boundary] of [
    ['multipart/x-mixed-replace; boundary=frame', 'multipart/x-mixed-replace', 'frame'],
    ['multipart/x-mixed-replace;boundary="--frame"', 'multipart/x-mixed-replace', '--frame'],
    ['Multipart/X-Mixed-Replace; charset=x; Boundary=a_b:c', 'multipart/x-mixed-replace', 'a_b:c'],
    ['multipart/x-mixed-replace', 'multipart/x-mixed-replace', undefined],
    ['image/jpeg;size=5', 'image/jpeg', undefined],
    [undefined, '', undefined],
  ] as const)
    it(`reads ${header ?? 'nothing'}`, () => {
      const read = readContentType(header);
      assert.deepEqual([read.type, read.boundary], [type, boundary]);
    });
});
