/** The conditions of "notify" in actors.json: `offline > 60s`, `quarantined`, `spool > 80%`, `recovered`. Pure. */

/** `text` is its canonical form, which identifies it. */
export type NoticeCondition =
  | { readonly kind: 'offline'; readonly overMs: number; readonly text: string }
  | { readonly kind: 'quarantined'; readonly text: string }
  | { readonly kind: 'spool'; readonly overShare: number; readonly text: string }
  | { readonly kind: 'recovered'; readonly text: string };

/** A camera counts as offline after ten seconds without a picture (supervisor/camera-condition.ts): shorter times cannot be detected. */
const LEAST_S = 10;
const MOST_S = 7 * 86_400;
const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

const EXPECTED = 'expected "offline > 60s", "quarantined", "spool > 80%" or "recovered"';

/** A condition, or what is wrong with it as a sentence without its subject. */
export function parseCondition(written: string): NoticeCondition | { readonly problem: string } {
  const text = written.trim();
  if (text === 'quarantined' || text === 'recovered') return { kind: text, text };
  const [, name = text, bound] = /^(\p{L}+)\s*(?:>\s*(.*))?$/u.exec(text) ?? [];
  if (name === 'offline') return offline(bound);
  if (name === 'spool') return spool(bound);
  if (name === 'quarantined' || name === 'recovered')
    return { problem: `has no bound; write "${name}" alone` };
  return { problem: EXPECTED };
}

function offline(bound = ''): NoticeCondition | { readonly problem: string } {
  const [, digits, unit = ''] = /^(\d{1,6})\s*([smhd])$/.exec(bound) ?? [];
  const seconds = Number(digits) * (UNITS_S[unit] ?? NaN);
  if (Number.isNaN(seconds))
    return {
      problem: 'expected a time after "offline >", such as "offline > 60s", "offline > 5m" or "offline > 1h"',
    };
  if (seconds < LEAST_S || seconds > MOST_S)
    return { problem: `expected a time from ${LEAST_S}s to ${MOST_S / 86_400}d after "offline >"` };
  return { kind: 'offline', overMs: seconds * 1000, text: `offline > ${digits ?? ''}${unit}` };
}

function spool(bound = ''): NoticeCondition | { readonly problem: string } {
  const percent = Number(/^(\d{1,3})\s*%$/.exec(bound)?.[1] ?? NaN);
  if (!(percent >= 1 && percent <= 99))
    return { problem: 'expected a whole number from 1% to 99% after "spool >", such as "spool > 80%"' };
  return { kind: 'spool', overShare: percent / 100, text: `spool > ${percent}%` };
}
