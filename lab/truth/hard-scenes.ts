/** Verdicts on good pictures that are easily taken for bad ones, as a table. */
import { markdownTable } from '../markdown-table';
import { makeClip } from './clips';
import { ENCODERS } from './damage-set';
import { HARD_SCENES, SCENES, type SceneName } from './scenes';
import { shown } from './shown';

const SIZE = { width: 640, height: 360, count: 50 } as const;
/** Of the two seconds that a clip has, the second may be called static. */
const FROZEN_MS = 1000;
const ENCODED = ['x264 one slice', 'x265 one slice'];
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

export interface SceneVerdicts {
  readonly scene: SceneName;
  readonly encoder: string;
  /** How many pictures got each. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly wrong: number;
}

export async function* hardScenes(
  seed: number,
  scenes: readonly SceneName[] = [...HARD_SCENES, ...SCENES],
  encoders: readonly string[] = ENCODED,
): AsyncGenerator<SceneVerdicts> {
  for (const scene of scenes)
    for (const { name, codec, encoder } of ENCODERS.filter(({ name }) => encoders.includes(name))) {
      const clip = await makeClip({ codec, scene, seed, encoder, ...SIZE, numbered: false });
      const { pictures } = await shown(clip, clip.units, { frozenMs: FROZEN_MS });
      const kinds: Record<string, number> = {};
      for (const { verdict } of pictures) kinds[verdict.kind] = (kinds[verdict.kind] ?? 0) + 1;
      const right = (kinds['healthy'] ?? 0) + (STILL.has(scene) ? (kinds['static'] ?? 0) : 0);
      yield { scene, encoder: name, kinds, wrong: pictures.length - right };
    }
}

/** One row for each scene and encoder. */
export async function hardSceneTable(seed: number): Promise<string> {
  const rows: string[][] = [];
  for await (const { scene, encoder, kinds, wrong } of hardScenes(seed)) {
    const { healthy = 0, static: same = 0, ...bad } = kinds;
    const others = Object.entries(bad).map(([kind, count]) => `${kind} ${count}`);
    rows.push([scene, encoder, String(healthy), String(same), others.join(', '), String(wrong)]);
  }
  return markdownTable(['scene', 'encoder', '`healthy`', '`static`', 'others', 'wrong'], rows);
}
