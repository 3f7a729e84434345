/** Colours and shapes of a chart, encoded as cameras do and read back from what the camera stores: a part of `npm run bench -- truth`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chartError, encodeChart, storeChart, type Chart } from '../../lab/truth/chart';
import { chartName, CHARTS, MOST_MEAN, MOST_PATCH, SHAPES } from '../../lab/truth/colours';

/** Every fifth chart is tested here; the bench tests all. */
const EVERY = 5;
const SAMPLED: readonly Chart[] = [
  ...CHARTS.filter((_, i) => i % EVERY === 0),
  ...CHARTS.filter(({ said, pixels }) => said === false || pixels?.startsWith('gray') === true),
  { height: 720, matrix: 'bt601' },
];

describe('colours of a chart', () => {
  for (const chart of new Set(SAMPLED))
    it(`${chartName(chart)}, are right in JPEG, PNG and WebP`, async () => {
      const coded = await encodeChart(chart);
      const isGrey = chart.pixels?.startsWith('gray') === true;
      for (const format of ['jpeg', 'png', 'webp'] as const) {
        const { bytes } = await storeChart(coded, { format });
        const { mean, most } = await chartError(bytes, { isGrey });
        const isRight = mean <= MOST_MEAN && most <= MOST_PATCH;
        assert.ok(isRight, `${format}: mean ${mean.toFixed(2)}, at most ${most}`);
      }
    });

  it('of 10 bits are exact in PNG: white is 255 and grey is 128', async () => {
    const chart = { height: 360, matrix: 'bt601', pixels: 'yuv420p10le', codec: 'hevc' } as const;
    const { bytes } = await storeChart(await encodeChart(chart), { format: 'png' });
    const { white, grey } = await chartError(bytes);
    assert.deepEqual([white, grey], [Array(3).fill(255), Array(3).fill(128)]);
  });

  it('follow the configured matrix, whatever the stream says', async () => {
    const coded = await encodeChart({ height: 720, matrix: 'bt601', said: false });
    const [guessed, named] = await Promise.all(
      [{}, { matrix: 'bt601' } as const].map(async (changes) =>
        chartError((await storeChart(coded, changes)).bytes),
      ),
    );
    assert.ok((guessed?.mean ?? 0) > 3, 'without it, 720 lines are BT.709');
    assert.ok((named?.mean ?? NaN) <= 1);
  });
});

describe('the shape of a chart', () => {
  for (const { what, chart, camera, size, turnedBy = 0 } of SHAPES)
    it(`of ${chart.codec ?? 'h264'} ${chart.width}x${chart.height} (${what}) is right to the corners`, async () => {
      const coded = await encodeChart({ matrix: 'bt601', ...chart });
      const { bytes, width, height, source } = await storeChart(coded, camera);
      assert.equal(`${width}x${height}`, size);
      assert.deepEqual(source, { width: chart.width, height: chart.height });
      const { most, atCorners } = await chartError(bytes, { turnedBy });
      assert.ok(most <= MOST_PATCH, `off by ${most}`);
      // With odd sizes the last chroma sample also covers points outside the picture.
      if (chart.codec !== 'mjpeg') assert.ok(atCorners <= MOST_PATCH, `corners off by ${atCorners}`);
    });
});
