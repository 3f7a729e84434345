/** Patterns in which `*` stands for any characters, none included. Pure. */

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
      // The last star takes one more: an earlier one need never do so.
      place = star + 1;
      at = ++resume;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(place));
}
