/** Judges what was seen of a row: are there pictures, on time, of the right size, at the right rate, and true? */
import type { Clip } from './clip';
import { colours, decoded, sizeFault, truthFault, verdictFault } from './judge-pictures';
import { LATE_MS, latest, rateFault, timeFault } from './judge-times';
import { reorderFrames } from './recipe';
import type { Delivered, Observation, Row } from './row';

export const CHECKS = [
  'pictures',
  'steady',
  'late',
  'size',
  'rate',
  'time',
  'truth',
  'verdict',
  'colour',
] as const;
export type Check = (typeof CHECKS)[number];

export interface Judgement {
  readonly row: Row;
  /** Deviations from what is required, as text; empty for a green row. */
  readonly faults: Readonly<Partial<Record<Check, string>>>;
  /** Pictures, as text for the table. */
  readonly seen: {
    readonly pictures: number;
    readonly firstPictureMs?: number;
    /** The latest but the tenth part, milliseconds from arrival to announcement, and its bound. */
    readonly lateMs?: number;
    readonly lateBoundMs: number;
    /** Share of the bound of squared error that the worst picture takes. */
    readonly error?: number;
    readonly colourMean?: number;
    readonly colourMost?: number;
  };
}

export interface Strictness {
  /** Factor for the time limits on a busy machine. */
  readonly slack: number;
}

export async function judgeRow(
  observation: Observation,
  clip: Clip,
  { slack }: Strictness,
): Promise<Judgement> {
  const { row, firstPictureMs, delivered, failure, messages } = observation;
  const { recipe } = row;
  const frameMs = 1000 / recipe.fps;
  const lateBoundMs = LATE_MS + reorderFrames(recipe) * frameMs;
  if (failure !== undefined || delivered.length === 0) {
    const why = failure ?? `none came; it said: ${messages.join('; ') || 'nothing'}`;
    return { row, faults: { pictures: why }, seen: { pictures: 0, lateBoundMs } };
  }
  const pictures = await Promise.all(fromFirstHealthy(row, delivered).map((each) => decoded(each)));
  const lateMs = latest(observation, pictures);
  const truth = await truthFault(row, clip, pictures);
  const colour = recipe.scene === 'patches' ? colours(pictures) : undefined;
  const faults: Partial<Record<Check, string | undefined>> = {
    steady: observation.interruptions[0],
    late:
      lateMs === undefined
        ? 'no picture whose sending is known'
        : lateMs > slack * lateBoundMs
          ? `${lateMs.toFixed(0)} ms after their arrival, at most ${lateBoundMs.toFixed(0)}`
          : undefined,
    size: sizeFault(row, pictures),
    rate: rateFault(observation, slack),
    time: timeFault(observation, pictures, clip, slack),
    truth: truth.fault,
    verdict: verdictFault(pictures),
    colour: colour?.fault,
  };
  return {
    row,
    faults: Object.fromEntries(Object.entries(faults).filter(([, fault]) => fault !== undefined)),
    seen: {
      pictures: pictures.length,
      ...(firstPictureMs === undefined ? {} : { firstPictureMs }),
      ...(lateMs === undefined ? {} : { lateMs }),
      lateBoundMs,
      error: truth.error,
      ...(colour === undefined ? {} : { colourMean: colour.mean, colourMost: colour.most }),
    },
  };
}

/**
 * A camera that comes in between two keyframes may be given pictures that lack what was before, as long as they are not
 * called healthy. All of them where none is.
 */
function fromFirstHealthy({ joinAt }: Row, delivered: readonly Delivered[]): readonly Delivered[] {
  const first =
    joinAt === undefined ? 0 : delivered.findIndex(({ frame }) => frame.verdict?.kind === 'healthy');
  return delivered.slice(Math.max(0, first));
}
