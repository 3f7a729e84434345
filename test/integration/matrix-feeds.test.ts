/** The cameras of the matrix, verified with ffmpeg alone: each picture they send is the one that was drawn. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawn, matrixClip } from '../../lab/matrix/clip';
import { squaredError } from '../../lab/matrix/colours';
import { openFeed } from '../../lab/matrix/open-feed';
import { rangeOf } from '../../lab/matrix/recipe';
import type { Row } from '../../lab/matrix/row';
import { ROWS } from '../../lab/matrix/rows';
import { SentPictures } from '../../lab/matrix/sent-pictures';
import { numberIn } from '../../lab/picture-number';
import { run } from '../../lab/process';

const PICTURES = 20;
const DEADLINE_MS = 30_000;
/** Neighbouring pictures differ a hundred times as much. ffmpeg mixes the colours of the two fields of a picture. */
const MAX_ERROR = { luma: 8, chroma: 60, mixedChroma: 400 };

/** One row of each kind; the others differ from these only in encoding or in Vigil's settings. */
const NAMES = [
  'rtsp-tcp',
  'rtsp-udp',
  'rtsp-tcp codec-h265 bFrames-default openGop-true',
  'rtsp-tcp codec-mjpeg height-184',
  'rtsp-tcp codec-mpeg4',
  'rtsp-tcp codec-vp8',
  'rtsp-tcp codec-vp9',
  'rtsp-tcp bFrames-2',
  'rtsp-tcp audio-first pcma',
  'rtsp-tcp audio-early aac',
  'rtsp-udp audio-second pcmu',
  'rtsp-tcp metadata-first',
  'rtsp-tcp height-192 fps-10 interlace-paff',
  'gst-tcp bFrames-2',
  'gst-udp audio-second aac',
  'gst-tcp audio-first pcma',
  'gst-tcp codec-vp8',
  'gst-tcp codec-vp9',
  'gst-tcp codec-mjpeg height-184',
  'rtmp bFrames-2',
  'rtmp audio-second aac',
  'hls',
  'mjpeg codec-mjpeg',
];

function rowNamed(name: string): Row {
  const row = ROWS.find((each) => each.name === name);
  if (row === undefined) throw new Error(`there is no row "${name}"`);
  return row;
}

/** Options of ffmpeg's input; for RTSP they request only the video track. */
function inputOptions({ feed }: Row): string[] {
  const [kind, transport = ''] = feed.split('-');
  if (kind !== 'rtsp' && kind !== 'gst') return [];
  return ['-rtsp_transport', transport, '-allowed_media_types', 'video'];
}

async function assertTrue(row: Row): Promise<void> {
  const { recipe } = row;
  const { width, height } = recipe;
  const sent = new SentPictures();
  const feed = await openFeed(row, await matrixClip(recipe), sent);
  try {
    const toRgb = `scale=in_color_matrix=${recipe.matrix}:in_range=${rangeOf(recipe)}:flags=accurate_rnd+full_chroma_int+bicubic,format=rgb24`;
    const url = String(feed.address['url']);
    const { stdout, stderr } = await run(
      'ffmpeg',
      [
        ...['-nostdin', '-v', 'error', ...inputOptions(row), '-i', url, '-map', '0:v', '-vf', toRgb],
        ...['-fps_mode', 'passthrough', '-frames:v', String(PICTURES), '-f', 'rawvideo', 'pipe:1'],
      ],
      DEADLINE_MS,
    );
    const bytes = 3 * width * height;
    const pictures = Array.from({ length: stdout.length / bytes }, (_, i) => ({
      ...{ width, height },
      rgb: stdout.subarray(i * bytes, (i + 1) * bytes),
    }));
    assert.equal(pictures.length, PICTURES, stderr);
    const numbers = pictures.map((picture) => numberIn(picture));
    const [first = NaN] = numbers;
    const frames = recipe.fps * recipe.seconds;
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => (first + i) % frames),
      'no picture is missing, none comes twice',
    );
    const mostChroma = recipe.interlace === 'none' ? MAX_ERROR.chroma : MAX_ERROR.mixedChroma;
    for (const [i, picture] of pictures.entries()) {
      const { luma, chroma } = squaredError(picture, drawn(recipe, numbers[i] ?? -1));
      assert.ok(luma < MAX_ERROR.luma && chroma < mostChroma, `${i}: ${luma}, ${chroma}`);
    }
    if (row.feed !== 'hls')
      for (const number of numbers)
        assert.ok(sent.lastBefore(number, Date.now()) !== undefined, 'its sending was told');
  } finally {
    await feed.stop();
  }
}

void describe('a camera of the matrix', { concurrency: 6 }, () => {
  for (const name of NAMES) void it(`sends the drawn pictures: ${name}`, () => assertTrue(rowNamed(name)));
});

void describe('the matrix', () => {
  void it('has no row twice', () => {
    const names = ROWS.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  });
});
