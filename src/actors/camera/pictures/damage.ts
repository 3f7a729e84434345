/**
 * Signs that a picture is damaged, with the measured share of such pictures that are: docs/pictures.md. Pure.
 */
import type { VerdictReason } from '../../../contract/verdict';

export type DamageReason = Extract<
  VerdictReason,
  | 'packet-loss'
  | 'missing-reference'
  | 'missing-slice'
  | 'cut'
  | 'decode-error'
  | 'flat-rows'
  | 'impossible-colours'
>;

/** A sign of damage. */
export interface Damage {
  readonly reason: DamageReason;
  /** 0 to 100: how many of a hundred pictures with this sign are damaged. */
  readonly confidence: number;
}

/** The damage with the higher confidence. */
export function worse(one: Damage | undefined, other: Damage | undefined): Damage | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.confidence > one.confidence ? other : one;
}
