/**
 * How far the clock of a camera that sends still pictures is from ours, by its answers: `Date`, and
 * `Last-Modified` of the picture. Both are truncated to whole seconds, so the difference is only known within
 * bounds. The smallest value within them is used: if the clocks may be equal, they count as equal. Pure.
 */

/** The times in an answer, and those of its request and arrival, milliseconds since the epoch. */
export interface ToldTime {
  readonly date: string | undefined;
  readonly lastModified: string | undefined;
  readonly sentAt: number;
  readonly answeredAt: number;
}

interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** Unit of HTTP times (RFC 9110, 5.6.7). */
const SECOND_MS = 1000;
/** A picture older than this by the camera's own clock was not made for this answer: its time proves nothing about the clock. */
const MAX_AGE_MS = 2000;

export class StillClock {
  /** Bounds of the camera's clock minus ours, from every `Date` since it was set. */
  #clock: Bounds | undefined;

  /**
   * The picture's time by the camera's clock minus the middle of the request, milliseconds; undefined if
   * unknown.
   */
  skewMs({ date, lastModified, sentAt, answeredAt }: ToldTime): number | undefined {
    const answered = parseDate(date);
    const modified = parseDate(lastModified);
    const clock = answered === undefined ? undefined : this.#narrow(answered, sentAt, answeredAt);
    const ageMs = answered === undefined || modified === undefined ? 0 : answered - modified;
    const isOfNow = ageMs >= 0 && ageMs <= MAX_AGE_MS;
    // If the picture was made a second or two before the answer, its own time is more exact than that of the
    // answer.
    if (modified !== undefined && isOfNow && (ageMs > 0 || clock === undefined)) {
      const middle = (sentAt + answeredAt) / 2;
      return nearestToNone({ least: modified - middle, most: modified + SECOND_MS - middle });
    }
    return clock === undefined ? undefined : nearestToNone(clock);
  }

  #narrow(answered: number, sentAt: number, answeredAt: number): Bounds {
    const now = { least: answered - answeredAt, most: answered + SECOND_MS - sentAt };
    const before = this.#clock ?? now;
    const both = { least: Math.max(before.least, now.least), most: Math.min(before.most, now.most) };
    // If the bounds do not overlap, one of the clocks was set or has drifted.
    return (this.#clock = both.least <= both.most ? both : now);
  }
}

function nearestToNone({ least, most }: Bounds): number {
  return Math.min(most, Math.max(least, 0));
}

/** Milliseconds since the epoch; a time without a zone is GMT, as all HTTP times are. */
function parseDate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(/(?:GMT|UTC|Z|[+-]\d{4})\s*$/i.test(text) ? text : `${text} GMT`);
  return Number.isNaN(ms) ? undefined : ms;
}
