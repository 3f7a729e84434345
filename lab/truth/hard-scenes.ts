/** Verdicts on good pictures that are easily taken for bad ones, as a table. */
import { markdownTable } from '../markdown-table';
import type { Verdict } from '../../src/contract/verdict';
import { makeClip } from './clips';
import { rightTable } from './confusion';
import { ENCODERS, type EncoderCase } from './damage-set';
import { BLIND_SCENES, HARD_SCENES, SCENES, type SceneName } from './scenes';
import { shown } from './shown';

const SIZE = { width: 640, height: 360, count: 50 } as const;
/** Of the two seconds that a clip has, the second may be called static. */
const FROZEN_MS = 1000;
/** As cameras encode, and as one does that has too few bits: next to nothing is left. */
export const ENCODED: readonly EncoderCase[] = [
  ...ENCODERS.filter(({ name }) => name === 'x264 one slice' || name === 'x265 one slice'),
  strong('x264', 'h264', '40'),
  strong('x265', 'hevc', '36'),
];
export const ALL_SCENES: readonly SceneName[] = [...HARD_SCENES, 'stuck', ...BLIND_SCENES, ...SCENES];
const BLIND: ReadonlySet<SceneName> = new Set(BLIND_SCENES);
/** A scene in which nothing to see changes is static. */
const STILL: ReadonlySet<SceneName> = new Set([
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
  readonly scene: SceneName;
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
  scenes: readonly SceneName[] = ALL_SCENES,
  encoders: readonly string[] = ENCODED.map(({ name }) => name),
): AsyncGenerator<SceneVerdicts> {
  for (const scene of scenes)
    for (const { name, codec, encoder } of ENCODED.filter(({ name }) => encoders.includes(name))) {
      const clip = await makeClip({ codec, scene, seed, encoder, ...SIZE, numbered: false });
      const { pictures } = await shown(clip, clip.units, { frozenMs: FROZEN_MS });
      const kinds: Record<string, number> = {};
      for (const { verdict } of pictures) kinds[verdict.kind] = (kinds[verdict.kind] ?? 0) + 1;
      const right = rightKinds(scene);
      const verdicts = pictures.map(({ verdict }) => ({ verdict, isRight: right.includes(verdict.kind) }));
      const wrong = verdicts.filter(({ isRight }) => !isRight).length;
      yield { scene, encoder: name, kinds, wrong, verdicts };
    }
}

function rightKinds(scene: SceneName): readonly string[] {
  if (scene === 'stuck') return ['healthy', 'static', 'frozen'];
  if (BLIND.has(scene)) return ['black', 'grey'];
  return STILL.has(scene) ? ['healthy', 'static'] : ['healthy'];
}

/** One row for each scene and encoder, and how often each confidence is right. */
export async function hardSceneTables(
  seed: number,
  scenes: readonly SceneName[] = ALL_SCENES,
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
