/** What `status --fleet` prints for people. Pure. */
import type { FleetStatus } from '../fleet/status';
import { STATE_TEXTS } from '../fleet/sentences';
import { PLAIN, type Style } from './style';
import { duration, table, wrap } from './table';

const NODE_TITLES = [
  'NODE',
  'STATE',
  'CAMERAS',
  'LOAD',
  'CORES',
  'CAPACITY',
  'VERSION',
  'CONFIGURATION',
  'CLOCK',
];
const CAMERA_TITLES = ['CAMERA', 'NODE', 'SINCE', 'FROM', 'REASON'];

/** Cameras are sorted by id, nodes by name. */
export function fleetText(status: FleetStatus, nowMs: number, { width, paint }: Style = PLAIN): string {
  const { fleet, node, state, nodes, cameras, unowned } = status;
  const nodeRows = nodes
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, state: of, cameras: count, load, millicores, capacity, skewMs, ...rest }) => [
      ...[name, of, String(count), `${Math.round(load * 100)} %`],
      millicores === undefined ? '-' : (millicores / 1000).toFixed(2),
      ...[String(capacity), rest.version, rest.configuration],
      skewMs === undefined ? '-' : `${skewMs > 0 ? '+' : ''}${Math.round(skewMs)} ms`,
    ]);
  const cameraRows = cameras
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, node: on, sinceMs, from = '-', because = '-' }) => [
      ...[id, on, duration(nowMs - sinceMs), from, because],
    ]);
  return [
    ...wrap(`node "${node}" of fleet "${fleet}" ${STATE_TEXTS[state]}`, '  ', width),
    ...(unowned.length === 0
      ? []
      : wrap(`no node has taken ${unowned.join(', ')}`, '  ', width).map((line) => paint('red', line))),
    ...section(NODE_TITLES, nodeRows, width),
    ...section(CAMERA_TITLES, cameraRows, width),
  ].join('\n');
}

function section(titles: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  return rows.length === 0 ? [] : ['', ...table([titles, ...rows], width)];
}
