/**
 * Pictures of which a part shows what decoders and sensors leave in the place of what is missing, coded without any damage: nothing but the picture
 * itself gives it away. As tables.
 */
import { markdownTable } from '../markdown-table';
import { randomOf } from '../random';
import { makeClip } from './clips';
import { rightTable } from './confusion';
import { ENCODED, type JudgedVerdict } from './hard-scenes';
import { HARD_SCENES, SCENES } from './scenes';
import { shown } from './shown';

const SIZE = { width: 320, height: 180, count: 25 } as const;

/** Levels of Y, U and V from a row on; undefined: the scene's. */
type Filling = readonly [y: number | undefined, u: number, v: number];

const FILLINGS = {
  none: undefined,
  grey: [128, 128, 128],
  green: [0, 0, 0],
  purple: [100, 190, 180],
  'no colour planes: green': [undefined, 0, 0],
  'full colour planes: purple': [undefined, 255, 255],
} as const satisfies Readonly<Record<string, Filling | undefined>>;

/** What the verdicts on each filling were, and how often each confidence is right: `torn` of a picture that has one. */
export async function halfBrokenTables(seed: number): Promise<readonly [string, string]> {
  const random = randomOf(seed);
  const all: JudgedVerdict[] = [];
  const rows: string[][] = [];
  for (const [f, [name, filling]] of Object.entries(FILLINGS).entries()) {
    const ofFilling: JudgedVerdict[] = [];
    for (const [s, scene] of [...SCENES, ...HARD_SCENES].entries()) {
      const each = ENCODED[(s + f) % ENCODED.length];
      if (each === undefined) throw new Error('no encoder');
      // From a sixth of the picture to five sixths.
      const row = random.between(Math.round(SIZE.height / 6), Math.round((5 * SIZE.height) / 6));
      const encoder = [...(filling === undefined ? [] : ['-vf', filledFrom(row, filling)]), ...each.encoder];
      const clip = await makeClip({
        codec: each.codec,
        scene,
        seed: seed + s,
        encoder,
        ...SIZE,
        numbered: false,
      });
      const { pictures } = await shown(clip, clip.units, { frozenMs: 0 });
      for (const { verdict } of pictures)
        ofFilling.push({ verdict, isRight: (verdict.kind === 'torn') === (filling !== undefined) });
    }
    all.push(...ofFilling);
    const counts = new Map<string, number>();
    for (const { verdict } of ofFilling) {
      const reason = verdict.reason ?? verdict.kind;
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    const found = [...counts].map(([reason, count]) => `${reason} ${count}`).join(', ');
    const wrong = ofFilling.filter(({ isRight }) => !isRight).length;
    rows.push([name, String(ofFilling.length), found, String(wrong)]);
  }
  return [markdownTable(['filling', 'pictures', 'verdicts', 'wrong'], rows), rightTable(all)];
}

/** ffmpeg's filters. */
function filledFrom(row: number, [y, u, v]: Filling): string {
  const plane = (level: number | undefined) =>
    level === undefined ? "'p(X,Y)'" : `'if(lt(Y/SH,${row}),p(X,Y),${level})'`;
  return `format=yuv420p,geq=lum=${plane(y)}:cb=${plane(u)}:cr=${plane(v)}`;
}
