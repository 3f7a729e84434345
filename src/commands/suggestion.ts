/** Suggests what a mistyped argument was meant to be. */

/** Maximum number of differing letters: in a short argument, two would be most of it. */
function maxDistance({ length }: string): number {
  return length > 3 ? 2 : 1;
}

/** The nearest of `known`, unless none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only a mistake needs it
  const { closest, distance } = require('fastest-levenshtein') as typeof import('fastest-levenshtein');
  const found = closest(name, known);
  return distance(name, found) <= maxDistance(name) ? found : undefined;
}
