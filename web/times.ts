/** Times and durations as people read them. Times are shown in the operator's own zone. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const CLOCK_SECONDS = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const DATE = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const DAY_NUMBER = new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit' });

/** Two units at most: `12 s`, `4 min 12 s`, `3 h 5 min`, `2 d 3 h`. Negative durations are 0. */
export function duration(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < MINUTE) return `${Math.floor(whole / SECOND)} s`;
  if (whole < HOUR) return two(whole, MINUTE, 'min', SECOND, 's');
  if (whole < DAY) return two(whole, HOUR, 'h', MINUTE, 'min');
  return two(whole, DAY, 'd', HOUR, 'h');
}

/** One unit, for small spaces: `12 s`, `4 min`, `3 h`, `2 d`. */
export function shortDuration(ms: number): string {
  return duration(ms).split(' ').slice(0, 2).join(' ');
}

function two(ms: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const [many, rest] = [Math.floor(ms / large), Math.floor((ms % large) / small)];
  return rest === 0 ? `${many} ${largeUnit}` : `${many} ${largeUnit} ${rest} ${smallUnit}`;
}

/** `12:03` */
export function clockTime(at: number): string {
  return CLOCK.format(at);
}

/** `12:03:11` */
export function clockTimeSeconds(at: number): string {
  return CLOCK_SECONDS.format(at);
}

/** `Wed 25 Nov, 12:03:11` */
export function dateTime(at: number): string {
  return `${DATE.format(at)}, ${clockTimeSeconds(at)}`;
}

/** `12:03:11`, with the day if it differs from that of `now`. For what is drawn again as time passes. */
export function moment(at: number, now: number): string {
  const sameDay = DAY_NUMBER.format(at) === DAY_NUMBER.format(now);
  return sameDay ? clockTimeSeconds(at) : dateTime(at);
}

/** The operator's zone by name and by its difference from UTC now: `Europe/Berlin (GMT+1)`. */
export function zoneName(now: number): string {
  const { timeZone } = CLOCK.resolvedOptions();
  const parts = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' }).formatToParts(now);
  const short = parts.find(({ type }) => type === 'timeZoneName')?.value;
  return short === undefined || short === timeZone ? timeZone : `${timeZone} (${short})`;
}

/** `1.0 /s`; below one frame in ten seconds by the minute: `3 /min`. */
export function rateText(perSecond: number): string {
  if (perSecond === 0 || perSecond >= 0.1) return `${trimmed(perSecond)}/s`;
  return `${trimmed(perSecond * 60)}/min`;
}

function trimmed(number: number): string {
  return number.toFixed(number >= 10 ? 0 : 1);
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `217 MB`, in powers of 1000. */
export function bytesText(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  for (; amount >= 999.5 && unit < BYTE_UNITS.length - 1; unit++) amount /= 1000;
  return `${amount < 10 && unit > 0 ? amount.toFixed(1) : amount.toFixed(0)} ${BYTE_UNITS[unit] ?? ''}`;
}

/** `1,234` */
export function countText(count: number): string {
  return count.toLocaleString('en-GB');
}
