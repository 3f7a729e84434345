/** Patterns in which `*` matches any characters, or none. Pure. */

/** Takes at most as many steps as the product of both lengths, whatever the pattern: a regular expression may take exponential time. */
export function matchesWildcard(pattern: string, text: string): boolean {
  let [at, place, star, resume] = [0, 0, -1, 0];
  while (at < text.length) {
    if (pattern[place] === '*') {
      star = place++;
      resume = at;
    } else if (pattern[place] === text[at]) {
      place += 1;
      at += 1;
    } else if (star >= 0) {
      // The last star matches one more character; no earlier star ever needs to.
      place = star + 1;
      at = ++resume;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(place));
}
