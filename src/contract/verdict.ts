/** What was found out about a picture without looking at what it shows. */

/**
 * `torn`: it, or a picture it builds on, is damaged or cut. `black`: nothing but darkness. `grey`: one flat tone, of
 * whatever colour. `frozen`: the same for longer than the camera's `frozenMs`. `healthy`: none of these was found.
 */
export const VERDICTS = ['healthy', 'torn', 'black', 'grey', 'frozen'] as const;

export interface Verdict {
  readonly kind: (typeof VERDICTS)[number];
  /** 0 to 100: how sure it is; of `healthy`, how much of it could be looked at. */
  readonly confidence: number;
}

/** A verdict in a file name: `torn95`. */
export function verdictWord({ kind, confidence }: Verdict): string {
  return `${kind}${confidence}`;
}

/** Reads what {@link verdictWord} wrote; undefined for any other text. */
export function parseVerdictWord(word: string): Verdict | undefined {
  const [, name = '', digits = ''] = /^([a-z]+)(\d{1,3})$/.exec(word) ?? [];
  const kind = VERDICTS.find((known) => known === name);
  const confidence = Number(digits);
  return kind === undefined || confidence > 100 ? undefined : { kind, confidence };
}
