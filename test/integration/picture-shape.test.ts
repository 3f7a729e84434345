/** The shape of pictures, as ffmpeg makes them with the camera's filters. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { filtered } from '../../lab/truth/clips';
import { rotated } from '../../src/actors/camera/ffmpeg/rotation';
import { pictureLook } from '../../src/actors/camera/pictures/look';
import { shapeFilters } from '../../src/actors/camera/pictures/shape-filters';

type Wanted = Parameters<typeof shapeFilters>[0] & { readonly rotate?: number };

/** A PNG of one picture of a source, shaped as the camera shapes it. */
async function shaped(source: string, wanted: Partial<Wanted>): Promise<Buffer> {
  const filters = [
    'null',
    ...shapeFilters({ format: 'jpeg', ...wanted }, false, rotated(wanted.rotate ?? 0)),
  ].join(',');
  const output = ['-vf', filters, '-frames:v', '1', '-c:v', 'png', '-f', 'image2pipe', 'pipe:1'];
  return filtered(['-f', 'lavfi', '-i', source, ...output], []);
}

async function sizeOf(source: string, wanted: Partial<Wanted>): Promise<string> {
  const { width, height } = await sharp(await shaped(source, wanted)).metadata();
  return `${width}x${height}`;
}

const test = (size: string, aspect = '1') => `testsrc2=size=${size}:rate=1,setsar=${aspect},format=yuv420p`;

describe('the shape of a picture', () => {
  for (const [what, source, wanted, size] of [
    ['of square pixels stays', test('640x360'), {}, '640x360'],
    ['of an unknown aspect stays', test('640x360', '0'), {}, '640x360'],
    ['of wide pixels is widened', test('704x288', '24/11'), {}, '1536x288'],
    ['of PAL is widened', test('720x576', '16/15'), {}, '768x576'],
    ['of high pixels is raised', test('720x480', '8/9'), {}, '720x540'],
    ['as sent stays', test('704x288', '24/11'), { aspect: 'as-sent' }, '704x288'],
    ['of pixels that cannot be is left alone', test('640x360', '1/255'), {}, '640x360'],
    ['with a width has an even height', test('640x362'), { width: 320 }, '320x182'],
    ['is never enlarged', test('320x240'), { width: 640 }, '320x240'],
    [
      'of odd size is not touched by a larger width',
      'color=red:size=321x241:rate=1,format=yuv444p',
      { width: 640 },
      '321x241',
    ],
    ['with a width is that of square pixels', test('704x288', '24/11'), { width: 768 }, '768x144'],
    ['turned by 90 is upright', test('640x360'), { rotate: 90 }, '360x640'],
    ['turned by 180 is as wide', test('640x360'), { rotate: 180 }, '640x360'],
    ['turned by 270 is as wide as wanted', test('640x360'), { rotate: 270, width: 180 }, '180x320'],
  ] as const)
    it(what, async () => {
      assert.equal(await sizeOf(source, wanted), size);
    });

  for (const [rotate, corner] of [
    [0, 'left top'],
    [90, 'right top'],
    [180, 'right bottom'],
    [270, 'left bottom'],
  ] as const)
    it(`turned by ${rotate} has its first corner at the ${corner}`, async () => {
      const source = 'color=black:size=64x64:rate=1,drawbox=w=24:h=24:color=white:t=fill';
      const { data } = await sharp(await shaped(source, rotate === 0 ? {} : { rotate }))
        .greyscale()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const at = {
        'left top': [8, 8],
        'right top': [56, 8],
        'right bottom': [56, 56],
        'left bottom': [8, 56],
      };
      const bright = Object.entries(at).filter(([, [x = 0, y = 0]]) => (data[64 * y + x] ?? 0) > 128);
      assert.deepEqual(
        bright.map(([name]) => name),
        [corner],
      );
    });

  it('keeps stripes of colour one point wide if it is stored without loss', async () => {
    // The stripes are two points wide before scaling; chroma that is halved twice would lose them.
    const stripes = await sharp({ create: { width: 640, height: 64, channels: 3, background: '#404040' } })
      .composite(
        Array.from({ length: 160 }, (_, i) => ({
          input: { create: { width: 2, height: 64, channels: 3 as const, background: '#4040c0' } },
          ...{ left: 4 * i, top: 0 },
        })),
      )
      .raw()
      .toBuffer();
    const camera = { format: 'png', width: 320, deinterlace: true } as const;
    const { colours } = pictureLook(camera, { codec: 'h264', height: 64 }, undefined, false);
    const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', '640x64', '-i', 'pipe:0'];
    const rgb = await filtered(
      [
        ...raw,
        '-vf',
        ['format=yuv420p', ...colours].join(','),
        '-f',
        'rawvideo',
        '-pix_fmt',
        'rgb24',
        'pipe:1',
      ],
      [stripes],
    );
    assert.equal(rgb.length, 3 * 320 * 32);
    const row = [...rgb.subarray(3 * 320 * 16, 3 * 320 * 17)].filter((_, i) => i % 3 === 2).slice(20, 300);
    assert.ok(Math.max(...row) - Math.min(...row) > 40, row.join());
  });
});
