/** The sentence about tags that no camera has. Pure. */

/** Maximum number of tags listed when none is similar. */
const MAX_NAMED = 20;

/** @param known the tags there are */
export function noneTagged(wanted: readonly string[], known: ReadonlySet<string>): string {
  const quoted = wanted.map((tag) => JSON.stringify(tag)).join(' and ');
  const names = [...known].sort();
  const more = names.length > MAX_NAMED ? `, and ${names.length - MAX_NAMED} more` : '';
  const there =
    names.length === 0 ? 'no camera has tags' : `there are ${names.slice(0, MAX_NAMED).join(', ')}`;
  return `no camera has the tag ${quoted}; ${there}${more}`;
}
