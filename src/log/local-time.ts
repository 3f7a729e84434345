/** A time as a person at this machine reads it. Pure, but for the machine's time zone. */

/** `2026-11-26 08:32:28.952 +01:00`: the local time and its offset from UTC (RFC 3339, with blanks). */
export function localTime(time: Date): string {
  const offset = -time.getTimezoneOffset();
  const local = new Date(time.getTime() + offset * 60_000).toISOString();
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${local.slice(0, 10)} ${local.slice(11, 23)} ${offset < 0 ? '-' : '+'}${hours ?? ''}:${minutes ?? ''}`;
}
