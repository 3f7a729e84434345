/** Runs rows of the matrix, several at once; they are judged when all of a batch have been seen, so as not to disturb them. */
import { matrixClip } from './clip';
import { judgeRow, type Judgement, type Strictness } from './judge-row';
import type { Row } from './row';
import { watchRow } from './watch-row';

export interface RunOptions extends Strictness {
  /** Rows that are watched at the same time. */
  readonly atOnce: number;
  /** What reads the cameras; the one that Vigil would choose, by default. */
  readonly ffmpeg?: string | undefined;
  readonly onJudged?: (judgement: Judgement) => void;
}

/** Encoders at work at the same time. */
const ENCODERS = 2;

/** In the order of the rows. @throws when a clip cannot be made */
export async function runRows(rows: readonly Row[], options: RunOptions): Promise<Judgement[]> {
  const judgements: Judgement[] = [];
  for (const batch of inBatches(rows, options.atOnce)) {
    for (const few of inBatches(batch, ENCODERS))
      await Promise.all(few.map(({ recipe }) => matrixClip(recipe)));
    const seen = await Promise.all(
      batch.map(async (row) => ({
        row,
        observation: await watchRow(row, await matrixClip(row.recipe), options.ffmpeg),
      })),
    );
    for (const { row, observation } of seen) {
      const judgement = await judgeRow(observation, await matrixClip(row.recipe), options);
      judgements.push(judgement);
      options.onJudged?.(judgement);
    }
  }
  return judgements;
}

function inBatches<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
