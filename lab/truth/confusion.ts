/** What verdicts are worth: how many broken pictures are called healthy, sound ones bad, and how often each confidence is right. Pure. */
import { markdownTable } from '../markdown-table';

/** One picture that was judged. */
export interface Judged {
  readonly codec: string;
  /** Its name in the set, and the scene's. */
  readonly encoder: string;
  readonly scene: string;
  readonly damage: string;
  readonly number: number;
  readonly kind: string;
  readonly confidence: number;
  readonly reason?: string | undefined;
  /** Sign of damage in what the picture shows, whether or not the verdict is by it. */
  readonly filling?: string | undefined;
  /** Mean squared error against the true picture, and the same of the undamaged clip. */
  readonly error: number;
  readonly soundError: number;
  /** It was damaged, or builds on one that was. */
  readonly isTouched: boolean;
}

/** Mean squared error from which on a picture is broken. */
const BROKEN = 100;
/** A picture shows damage if its error exceeds that of the undamaged clip by more than this. */
const VISIBLE = 1;

/** `harmless`: it was damaged, or built on one that was, but does not show it. */
type Truth = 'sound' | 'harmless' | 'slight' | 'broken';

function truthOf({ error, soundError, isTouched }: Judged): Truth {
  // Some pictures behind a keyframe are predicted from before it, too.
  if (error <= soundError + VISIBLE) return isTouched ? 'harmless' : 'sound';
  return error > BROKEN ? 'broken' : 'slight';
}

/** A table by codec and damage: how many pictures were called what. */
export function confusionTable(judged: readonly Judged[]): string {
  const rows = [...groups(judged, ({ codec, damage }) => `${codec} ${damage}`)].map(([name, group]) => [
    name,
    ...rates(group),
  ]);
  const totals = [...groups(judged, ({ codec }) => codec)].map(([codec, group]) => [
    `**${codec}**`,
    ...rates(group),
  ]);
  return markdownTable(
    [
      'damage',
      'broken',
      'called healthy',
      'slight',
      'called healthy',
      'harmless',
      'called bad',
      'sound',
      'called bad',
    ],
    [...rows, ...totals],
  );
}

function rates(group: readonly Judged[]): string[] {
  const of = (truth: Truth) => group.filter((each) => truthOf(each) === truth);
  return (['broken', 'slight', 'harmless', 'sound'] as const).flatMap((truth) => {
    const all = of(truth);
    const wrong = all.filter(
      ({ kind }) => (kind === 'healthy') === (truth === 'broken' || truth === 'slight'),
    );
    return [
      String(all.length),
      all.length === 0 ? '-' : `${wrong.length} (${percent(wrong.length, all.length)})`,
    ];
  });
}

/** Right is `torn` of a picture that was damaged or builds on one, and `healthy` of one that is not broken. */
export function reliabilityTable(judged: readonly Judged[]): string {
  return rightTable(
    judged.map((each) => {
      const { kind, confidence, reason } = each;
      const truth = truthOf(each);
      const isRight = kind === 'healthy' ? truth !== 'broken' : kind === 'torn' && truth !== 'sound';
      return { verdict: { kind, confidence, reason }, isRight };
    }),
  );
}

/** How many of the pictures that show a sign of damage are damaged, or build on one that is, whatever else was found. */
export function fillingTable(judged: readonly Judged[]): string {
  const rows = [...groups(judged, ({ codec, filling = '' }) => `${codec} ${filling}`)]
    .filter(([, [first]]) => first?.filling !== undefined)
    .map(([name, group]) => {
      const right = group.filter((each) => truthOf(each) !== 'sound').length;
      return [name, String(group.length), percent(right, group.length)];
    });
  return markdownTable(['sign', 'pictures', 'damaged'], rows);
}

/** How many of the verdicts of each confidence are right. */
export function rightTable(
  judged: readonly {
    readonly verdict: Pick<Judged, 'kind' | 'confidence' | 'reason'>;
    readonly isRight: boolean;
  }[],
): string {
  const rows = [
    ...groups(judged, ({ verdict: { kind, reason = '', confidence } }) => `${kind}|${reason}|${confidence}`),
  ]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([name, group]) => {
      const right = group.filter(({ isRight }) => isRight).length;
      return [...name.split('|'), String(group.length), percent(right, group.length)];
    });
  return markdownTable(['verdict', 'reason', 'confidence', 'pictures', 'right'], rows);
}

function groups<T>(all: readonly T[], keyOf: (each: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const each of all) found.set(keyOf(each), [...(found.get(keyOf(each)) ?? []), each]);
  return found;
}

function percent(part: number, of: number): string {
  return `${((100 * part) / of).toFixed(1)} %`;
}
