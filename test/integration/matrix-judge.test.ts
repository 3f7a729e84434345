/** The matrix's own judge: correct pictures are green, and each kind of error turns its own check red. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import type { Frame } from '../../src/contract/frame';
import { drawn, type Clip } from '../../lab/matrix/clip';
import { judgeRow, type Check } from '../../lab/matrix/judge-row';
import { PLAIN, type Recipe } from '../../lab/matrix/recipe';
import type { Delivered, Observation, Row } from '../../lab/matrix/row';
import { sceneAt, weave } from '../../lab/matrix/scene';
import { SentPictures } from '../../lab/matrix/sent-pictures';
import { drawNumber, numberIn, type RawPicture } from '../../lab/picture-number';

const START = 1_700_000_000_000;
const FRAME_MS = 40;
const PICTURES = 7;
/** Delays from the last packet to the capture time and to the announcement. */
const STAMPED_MS = 40;
const ANNOUNCED_MS = 70;

function rowOf(recipe: Partial<Recipe> = {}): Row {
  const name = 'a row';
  return {
    ...{ name, feed: 'rtsp-tcp', recipe: { ...PLAIN, ...recipe }, camera: {}, seconds: 7 },
    ...{ everyMs: 1000, cheap: false },
  };
}

function clipOf({ recipe }: Row): Clip {
  const units = Array.from({ length: recipe.fps * recipe.seconds }, (_, number) => ({
    ...{ bytes: Buffer.alloc(0), key: number % recipe.fps === 0, number, sentAt: number, shownAt: number },
  }));
  const errors = new Map(units.map(({ number }) => [number, { luma: 1, chroma: 12 }]));
  return { recipe, file: '', units, reference: () => Promise.resolve(errors) };
}

async function jpeg({ width, height, rgb }: RawPicture): Promise<Buffer> {
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer();
}

/** One picture a second of a clip that is sent from `START` on. */
async function pictureOf({ recipe }: Row, second: number, picture?: RawPicture): Promise<Delivered> {
  const { width, height, fps } = recipe;
  const sentAt = START + 1000 * second;
  const bytes = await jpeg(picture ?? drawn(recipe, second * fps));
  const frame: Frame = {
    ...{ camera: 'camera', capturedAt: sentAt + STAMPED_MS, sequence: second, width, height, format: 'jpeg' },
    ...{ bytes: bytes.length, verdict: { kind: 'healthy', confidence: 90 } },
  };
  return { frame, announcedAt: sentAt + ANNOUNCED_MS, bytes };
}

async function observationOf(row: Row): Promise<Observation> {
  const sent = new SentPictures();
  for (let number = 0; number < row.recipe.fps * row.recipe.seconds; number++)
    sent.add(number, START + number * FRAME_MS);
  const delivered = await Promise.all(Array.from({ length: PICTURES }, (_, i) => pictureOf(row, i)));
  const endedAt = START + 1000 * PICTURES;
  return { row, firstPictureMs: 900, endedAt, delivered, sent, messages: [], interruptions: [] };
}

/** The checks that are red. */
async function red(observation: Observation): Promise<Check[]> {
  const { row } = observation;
  const { faults } = await judgeRow(observation, clipOf(row), { slack: 1 });
  return Object.keys(faults) as Check[];
}

type Mutation = (seen: Observation) => Observation | Promise<Observation>;

/** The observation with its pictures changed by a function of each and its index. */
async function changed(
  seen: Observation,
  change: (each: Delivered, i: number) => Delivered | Promise<Delivered>,
): Promise<Observation> {
  return { ...seen, delivered: await Promise.all(seen.delivered.map(async (each, i) => change(each, i))) };
}

function halfGrey(picture: RawPicture): RawPicture {
  const rgb = Buffer.from(picture.rgb);
  rgb.fill(128, rgb.length / 2);
  return { ...picture, rgb };
}

const MUTATIONS: readonly (readonly [string, Check, Mutation])[] = [
  ['no pictures at all', 'pictures', (seen) => ({ ...seen, delivered: [] })],
  ['a camera that could not be configured', 'pictures', (seen) => ({ ...seen, failure: 'unknown key' })],
  ['a feed that was opened anew', 'steady', (seen) => ({ ...seen, interruptions: ['it ended'] })],
  [
    'pictures announced with the next but one keyframe',
    'late',
    (seen) => changed(seen, (each) => ({ ...each, announcedAt: each.announcedAt + 900 })),
  ],
  [
    'a picture said to have another size than its bytes',
    'size',
    (seen) =>
      changed(seen, (each, i) => (i === 3 ? { ...each, frame: { ...each.frame, width: 640 } } : each)),
  ],
  [
    'half of the periods',
    'rate',
    (seen) => ({ ...seen, delivered: seen.delivered.filter((_, i) => i % 2 === 0) }),
  ],
  ['pictures that end before the feed', 'rate', (seen) => ({ ...seen, endedAt: seen.endedAt + 5000 })],
  [
    'times of the neighbour for some pictures',
    'time',
    (seen) =>
      changed(seen, (each, i) => {
        const capturedAt = each.frame.capturedAt + (i % 3 === 0 ? FRAME_MS : 0);
        return { ...each, frame: { ...each.frame, capturedAt } };
      }),
  ],
  [
    'times ahead of the arrivals by a second',
    'time',
    (seen) =>
      changed(seen, (each) => ({
        ...each,
        frame: { ...each.frame, capturedAt: each.frame.capturedAt - 1000 },
      })),
  ],
  [
    'a picture half of which is grey',
    'truth',
    (seen) =>
      changed(seen, (each, i) => (i === 2 ? pictureOf(seen.row, i, halfGrey(drawn(PLAIN, 50))) : each)),
  ],
  [
    'what was drawn for the next number below its own',
    'truth',
    (seen) =>
      changed(seen, (each, i) => {
        const next = drawn(PLAIN, 25 * i + 1);
        drawNumber(next, 25 * i);
        return i === 4 ? pictureOf(seen.row, i, next) : each;
      }),
  ],
  [
    'a picture that cannot be decoded',
    'truth',
    (seen) => changed(seen, (each, i) => (i === 1 ? { ...each, bytes: each.bytes.subarray(0, 20) } : each)),
  ],
  [
    'a whole picture called torn',
    'verdict',
    (seen) =>
      changed(seen, (each, i) =>
        i === 5 ? { ...each, frame: { ...each.frame, verdict: { kind: 'torn', confidence: 80 } } } : each,
      ),
  ],
];

void describe('the judge of the matrix', () => {
  void it('finds nothing wrong with correct pictures', async () => {
    assert.deepEqual(await red(await observationOf(rowOf())), []);
  });

  for (const [what, check, mutate] of MUTATIONS)
    void it(`calls ${what} red: ${check}`, async () => {
      const checks = await red(await mutate(await observationOf(rowOf())));
      assert.ok(checks.includes(check), `red: ${checks.join(', ') || 'nothing'}`);
    });

  void it('accepts times in order of display too, and calls any other time wrong', async () => {
    const row = rowOf({ bFrames: 2 });
    const seen = await observationOf(row);
    // Every other picture is shown two places after its position in the stream, like those before B-frames.
    const units = clipOf(row).units.map((unit) => ({
      ...unit,
      shownAt: unit.number % 50 === 0 ? unit.sentAt + 2 : unit.sentAt,
    }));
    const clip = { ...clipOf(row), units };
    const byDisplay = await changed(seen, (each, i) => {
      const capturedAt = each.frame.capturedAt + (i % 2 === 0 ? 2 * FRAME_MS : 0);
      return { ...each, frame: { ...each.frame, capturedAt } };
    });
    assert.deepEqual((await judgeRow(seen, clip, { slack: 1 })).faults, {});
    assert.deepEqual((await judgeRow(byDisplay, clip, { slack: 1 })).faults, {});
    assert.ok((await red(byDisplay)).includes('time'));
  });

  void it('accepts pictures not called healthy from a camera that joined between two keyframes', async () => {
    const row = { ...rowOf(), joinAt: 40 };
    const called = (kind: 'torn' | 'healthy') => async (seen: Observation) =>
      changed(seen, async (each, i) => {
        if (i > 0) return each;
        const broken = await pictureOf(row, i, halfGrey(drawn(PLAIN, 0)));
        return { ...broken, frame: { ...broken.frame, verdict: { kind, confidence: 80 } } };
      });
    const seen = await observationOf(row);
    assert.deepEqual(await red(await called('torn')(seen)), []);
    assert.deepEqual(await red(await called('healthy')(seen)), ['truth']);
    assert.deepEqual(await red(await called('torn')({ ...seen, row: rowOf() })), ['truth', 'verdict']);
  });

  void it('accepts one stretched field as a deinterlaced picture, but not two mixed fields', async () => {
    const row = rowOf({ interlace: 'mbaff-tff', height: 192 });
    const whole = await observationOf(row);
    const woven = await red(whole);
    assert.deepEqual(woven, ['truth']);
    const deinterlaced = await changed(whole, (_, i) =>
      pictureOf(row, i, sceneAt('moving', row.recipe, 25 * i, 50 * i)),
    );
    assert.deepEqual(await red(deinterlaced), []);
    const asSent = { ...whole, row: { ...row, camera: { deinterlace: 'off' } } };
    assert.deepEqual(await red(asSent), []);
  });

  void it('calls colours that are off by a few levels red', async () => {
    const row = rowOf({ scene: 'patches' });
    const seen = await observationOf(row);
    assert.deepEqual(await red(seen), []);
    const { rgb, ...size } = drawn(row.recipe, 0);
    const warm = {
      ...size,
      rgb: rgb.map((value, i) => (i % 3 === 0 ? Math.max(0, value - 7) : value)) as Buffer,
    };
    const shifted = await changed(seen, (each, i) => (i === 0 ? pictureOf(row, i, warm) : each));
    assert.deepEqual(await red(shifted), ['colour']);
  });
});

void describe('a number drawn on a picture', () => {
  for (const [width, height] of [
    [320, 180],
    [321, 181],
    [1920, 1080],
    [160, 90],
  ] as const)
    void it(`is read back from a JPEG of ${width}x${height}`, async () => {
      for (const number of [0, 1, 1365, 2730, 4095]) {
        const bytes = await jpeg(sceneAt('moving', { width, height }, number));
        const { data } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
        assert.equal(numberIn({ width, height, rgb: data }), number);
      }
    });

  void it('is not read if it is half covered, or if two numbers are mixed', () => {
    const [one, other] = [sceneAt('moving', PLAIN, 1365), sceneAt('moving', PLAIN, 2730)];
    assert.equal(numberIn({ ...one, rgb: one.rgb.map(() => 128) as Buffer }), undefined);
    assert.equal(numberIn(weave(one, other)), undefined);
  });
});
