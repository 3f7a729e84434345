/** The fault table of a fleet as text, what of it is not as it must be, and the sum of several runs. Pure. */
import { markdownTable } from '../markdown-table';
import { percentile } from '../percentile';
import type { FleetResult } from './fleet-chaos';

const HEAD = [
  ...['fault', 'times', 'captured', 'confirmed', 'lost', 'twice', 'repeated', 'dangling'],
  ...['camera-seconds missed', 'take-over p50 s', 'p95 s', 'max s', 'moves'],
];

export function fleetTable(results: readonly FleetResult[]): string {
  const seconds = (ms: number) => (Number.isNaN(ms) ? '-' : (ms / 1000).toFixed(1));
  return markdownTable(
    HEAD,
    results.map(({ row, times, takeOverMs, ...result }) => {
      const { captured, confirmed, lost, twice, repeated, dangling, missed } = result;
      return [
        row,
        ...[times, captured, confirmed, lost, twice, repeated, dangling, missed].map(String),
        ...[0.5, 0.95, 1].map((share) => seconds(percentile(takeOverMs, share))),
        String(result.moves),
      ];
    }),
  );
}

/** What is not as it must be, a sentence each. */
export function fleetViolations(results: readonly FleetResult[]): string[] {
  return results.flatMap(({ row, lost, twice, dangling, takeOverMs, captured, ...result }) => [
    ...(captured === 0 ? [`${row}: nothing was captured`] : []),
    ...(lost > 0 ? [`${row}: ${lost} frames lost`] : []),
    ...(twice > 0 ? [`${row}: ${twice} periods announced twice`] : []),
    ...(dangling > 0 ? [`${row}: ${dangling} announced keys were not in Redis`] : []),
    ...(result.isStill === true && result.moves > 0 ? [`${row}: ${result.moves} cameras moved`] : []),
    ...(result.isWhole === true && result.missed > 0 ? [`${row}: ${result.missed} periods missed`] : []),
    ...(result.faults ?? []).map((fault) => `${row}: ${fault}`),
    ...(percentile(takeOverMs, 0.95) > 10_000 ? [`${row}: take-over p95 above 10 s`] : []),
    ...(percentile(takeOverMs, 0.5) > 8000 ? [`${row}: take-over p50 above 8 s`] : []),
  ]);
}

/** Results of two runs, those of the same row added up. */
export function addResults(before: readonly FleetResult[], more: readonly FleetResult[]): FleetResult[] {
  const sums = new Map(before.map((result) => [result.row, result]));
  for (const result of more) {
    const known = sums.get(result.row);
    sums.set(result.row, known === undefined ? result : added(known, result));
  }
  return [...sums.values()];
}

function added(a: FleetResult, b: FleetResult): FleetResult {
  return {
    ...b,
    times: a.times + b.times,
    captured: a.captured + b.captured,
    confirmed: a.confirmed + b.confirmed,
    lost: a.lost + b.lost,
    missed: a.missed + b.missed,
    twice: a.twice + b.twice,
    repeated: a.repeated + b.repeated,
    dangling: a.dangling + b.dangling,
    moves: a.moves + b.moves,
    faults: [...(a.faults ?? []), ...(b.faults ?? [])],
    takeOverMs: [...a.takeOverMs, ...b.takeOverMs],
  };
}
