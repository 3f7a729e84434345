/** The findings about a picture, without looking at its subject. */

/**
 * `torn`: the picture, or one it builds on, is damaged or truncated. `black`: nothing but darkness. `grey`: one flat tone, of
 * any colour. `frozen`: no point has changed for longer than the camera's `frozenMs`. `static`: no visible change for that time,
 * but the camera still sees. `healthy`: none of these was found.
 */
export const VERDICTS = ['healthy', 'torn', 'black', 'grey', 'frozen', 'static'] as const;

/**
 * Why a picture was found to be bad. For `torn`: `packet-loss`, network packets never came, or came damaged;
 * `missing-reference`, a picture it is predicted from never came; `missing-slice`, a part of it never came; `cut`, its data
 * end too early; `decode-error`, the decoder complained about its data; `flat-rows`, a part of it shows what decoders show in
 * place of missing data; `impossible-colours`, it has colours no camera can have sent. For `black` and `grey`: `one-tone`. For `frozen`: `same-bytes`, or `same-look` if the encoding
 * differs. For `static`: `same-look`.
 */
export const VERDICT_REASONS = [
  'packet-loss',
  'missing-reference',
  'missing-slice',
  'cut',
  'decode-error',
  'flat-rows',
  'impossible-colours',
  'one-tone',
  'same-bytes',
  'same-look',
] as const;
export type VerdictReason = (typeof VERDICT_REASONS)[number];

export interface Verdict {
  readonly kind: (typeof VERDICTS)[number];
  /** 0 to 100: how often such a verdict is right. */
  readonly confidence: number;
  /** Absent for `healthy`, and for pictures spooled by an older version. */
  readonly reason?: VerdictReason;
}

/** A verdict in a file name: `torn95`, `torn95=packet-loss`. */
export function verdictToken({ kind, confidence, reason }: Verdict): string {
  return `${kind}${confidence}${reason === undefined ? '' : `=${reason}`}`;
}

/** Reads what {@link verdictToken} wrote; undefined for any other text. */
export function parseVerdictToken(token: string): Verdict | undefined {
  const [, name = '', digits = '', because] = /^([a-z]+)(\d{1,3})(?:=([a-z-]+))?$/.exec(token) ?? [];
  const kind = VERDICTS.find((known) => known === name);
  const reason = VERDICT_REASONS.find((known) => known === because);
  const confidence = Number(digits);
  if (kind === undefined || confidence > 100 || reason !== because) return undefined;
  return { kind, confidence, ...(reason === undefined ? {} : { reason }) };
}
