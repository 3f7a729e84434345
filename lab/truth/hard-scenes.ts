/** Verdicts on good pictures that are easily taken for bad ones, as a table. */
import { markdownTable } from '../markdown-table';
import type { Verdict } from '../../src/contract/verdict';
import { FPS, makeClip, type Clip } from './clips';
import { rightTable } from './confusion';
import { ENCODERS, type EncoderCase } from './damage-set';
import { BLIND_SCENES, HARD_SCENES, SCENES, type SceneName } from './scenes';
import { shown } from './shown';

const SIZE = { width: 640, height: 360, count: 50 } as const;
/** A clip lasts two seconds; the second may be called static. */
const FROZEN_MS = 1000;
/** As cameras encode, and as one does that has too few bits: next to nothing is left. */
export const ENCODED: readonly EncoderCase[] = [
  ...ENCODERS.filter(({ name }) => name === 'x264 one slice' || name === 'x265 one slice'),
  strong('x264', 'h264', '40'),
  strong('x265', 'hevc', '36'),
];
/**
 * Stuck cameras: one sends the same access unit again and again, one says of each picture that nothing has changed since the
 * one before.
 */
const FROZEN_SCENES = ['repeated', 'unchanged'] as const;
type FrozenScene = (typeof FROZEN_SCENES)[number];
type HardScene = SceneName | FrozenScene;
export const ALL_SCENES: readonly HardScene[] = [
  ...HARD_SCENES,
  'stuck',
  ...FROZEN_SCENES,
  ...BLIND_SCENES,
  ...SCENES,
];
/** With the same quantiser for all pictures an encoder has nothing to refine. */
const STEADY = ':qp=36';
const FROZEN: ReadonlySet<HardScene> = new Set(FROZEN_SCENES);
const BLIND: ReadonlySet<HardScene> = new Set(BLIND_SCENES);
/** A scene in which nothing to see changes is static. */
const STILL: ReadonlySet<HardScene> = new Set([
  'still',
  'denoised',
  'clock',
  'mist',
  'snow',
  'night',
  'dusk',
]);

function strong(name: 'x264' | 'x265', codec: EncoderCase['codec'], crf: string): EncoderCase {
  const params = `${name === 'x265' ? 'log-level=error:pools=1:' : 'threads=1:'}keyint=12:min-keyint=12:bframes=0`;
  const encoder = ['-c:v', `lib${name}`, '-preset', 'veryfast', '-crf', crf, '-pix_fmt', 'yuv420p'];
  return { name: `${name} strong`, codec, encoder: [...encoder, `-${name}-params`, params] };
}

export interface SceneVerdicts {
  readonly scene: HardScene;
  readonly encoder: string;
  /** How many pictures got each. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly wrong: number;
  readonly verdicts: readonly JudgedVerdict[];
}

/** One of a good picture, or of a blind or stuck camera's. */
export interface JudgedVerdict {
  readonly verdict: Verdict;
  readonly isRight: boolean;
}

export async function* hardScenes(
  seed: number,
  scenes: readonly HardScene[] = ALL_SCENES,
  encoders: readonly string[] = ENCODED.map(({ name }) => name),
): AsyncGenerator<SceneVerdicts> {
  for (const scene of scenes)
    for (const encoder of ENCODED.filter(({ name }) => encoders.includes(name))) {
      const { name } = encoder;
      const clip = await clipOf(scene, seed, encoder);
      const { pictures } = await shown(clip, clip.units, { frozenMs: FROZEN_MS });
      if (pictures.length !== SIZE.count)
        throw new Error(`${scene}, ${name}: ${pictures.length} pictures instead of ${SIZE.count}`);
      const kinds: Record<string, number> = {};
      for (const { verdict } of pictures) kinds[verdict.kind] = (kinds[verdict.kind] ?? 0) + 1;
      const verdicts = pictures.map(({ verdict, number }) => ({
        verdict,
        isRight: rightKinds(scene, number).includes(verdict.kind),
      }));
      const wrong = verdicts.filter(({ isRight }) => !isRight).length;
      yield { scene, encoder: name, kinds, wrong, verdicts };
    }
}

async function clipOf(scene: HardScene, seed: number, { codec, encoder }: EncoderCase): Promise<Clip> {
  const options = { codec, seed, ...SIZE, numbered: false };
  if (scene === 'unchanged')
    return makeClip({
      ...options,
      scene: 'stuck',
      encoder: encoder.map((each, i) => (i === encoder.length - 1 ? each + STEADY : each)),
    });
  if (scene !== 'repeated') return makeClip({ ...options, scene, encoder });
  const clip = await makeClip({ ...options, scene: 'stuck', encoder });
  const [first] = clip.units;
  if (first === undefined) throw new Error('a clip without pictures');
  return { ...clip, units: clip.units.map(({ number }) => ({ ...first, number })) };
}

/** @param number of the picture: a camera is not frozen until its picture has been unchanged for this long */
function rightKinds(scene: HardScene, number: number): readonly string[] {
  if (FROZEN.has(scene)) return (1000 * number) / FPS >= FROZEN_MS ? ['frozen'] : ['healthy'];
  if (scene === 'stuck') return ['healthy', 'static', 'frozen'];
  if (BLIND.has(scene)) return ['black', 'grey'];
  return STILL.has(scene) ? ['healthy', 'static'] : ['healthy'];
}

/** One row for each scene and encoder, and how often each confidence is right. */
export async function hardSceneTables(
  seed: number,
  scenes: readonly HardScene[] = ALL_SCENES,
): Promise<string[]> {
  const rows: string[][] = [];
  const all: JudgedVerdict[] = [];
  for await (const { scene, encoder, kinds, wrong, verdicts } of hardScenes(seed, scenes)) {
    const { healthy = 0, static: same = 0, ...bad } = kinds;
    const others = Object.entries(bad).map(([kind, count]) => `${kind} ${count}`);
    rows.push([scene, encoder, String(healthy), String(same), others.join(', '), String(wrong)]);
    all.push(...verdicts);
  }
  const head = ['scene', 'encoder', '`healthy`', '`static`', 'others', 'wrong'];
  return [markdownTable(head, rows), rightTable(all)];
}
