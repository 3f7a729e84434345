/** Lines the spec reporter ends with. */
export const COUNTS = /^ℹ (tests|suites|pass|fail|cancelled|skipped|todo) (\d+)$/gm;

/** The summed counts of several runs of node's test runner, in the form of a single run. */
export function summary(outputs: readonly string[]): string {
  const sums = new Map<string, number>();
  for (const [, what = '', number] of outputs.flatMap((output) => [...output.matchAll(COUNTS)]))
    sums.set(what, (sums.get(what) ?? 0) + Number(number));
  return [...sums].map(([what, sum]) => `ℹ ${what} ${sum}\n`).join('');
}
