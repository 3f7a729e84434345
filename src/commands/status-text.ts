/** What `status` prints for people. Pure. */
import { serviceFacts } from '../protocol/service-facts';
import type { BoundQueue, QueuesAnswer } from '../connections/bound-queues';
import { refusalText } from '../config/faults';
import type { DaemonStatus } from '../control/protocol';
import type { FaultRecord } from '../fault/fault';
import { STATE_TEXTS } from '../fleet/sentences';
import type { DeliveryStatus } from '../supervisor/health';
import type { ChildStatus } from '../supervisor/status';
import { PLAIN, type Colour, type Style } from './style';
import { below, duration, table, tableRows, wrap } from './table';

export const PROCESS_TITLES = ['PROCESS', 'STATE', 'SINCE', 'PID', 'RESTARTS', 'MEMORY'];
export const CAMERA_TITLES = [
  'CAMERA',
  'STATE',
  'SINCE',
  'RATE',
  'CONFIRMED',
  'SAMPLING',
  'VIDEO',
  'RESTARTS',
];

/** Colours of states; all others are yellow: they are temporary, or waiting for an action. */
const COLOURS: Readonly<Record<string, Colour>> = {
  running: 'green',
  streaming: 'green',
  waiting: 'red',
  ended: 'red',
  quarantined: 'red',
};

/** The daemon, its processes and its cameras. */
export function statusText(status: DaemonStatus, nowMs: number, style: Style = PLAIN): string {
  const { children } = status;
  const cameras = children.filter(({ kind }) => kind === 'camera');
  const others = children.filter(({ kind }) => kind !== 'camera');
  return [
    ...head(status, cameras, nowMs, style),
    ...section(PROCESS_TITLES, others, processCells, nowMs, style),
    ...section(CAMERA_TITLES, cameras, cameraCells, nowMs, style),
  ].join('\n');
}

/** Queues that others have bound, and those of earlier configurations. */
export function queuesLines(answer: QueuesAnswer, { width }: Style = PLAIN): string[] {
  if (answer.kind === 'unknown') return wrap(`other queues: unknown; ${answer.message}`, '  ', width);
  if (answer.queues.length === 0) return ['other queues: none'];
  const row = ({ name, origin, messages, consumers, boundTo }: BoundQueue) => [
    name,
    origin === 'old' ? 'earlier configuration' : 'another service',
    String(messages),
    String(consumers),
    boundTo.length === 0 ? 'nothing' : boundTo.join(', '),
  ];
  const titles = ['QUEUE', 'DECLARED BY', 'MESSAGES', 'CONSUMERS', 'BOUND TO'];
  return table([titles, ...answer.queues.map(row)], width);
}

/** Everything about one child. */
export function childText(child: ChildStatus, nowMs: number, { width }: Style = PLAIN): string {
  const { name, state, sinceMs, pid, restarts, feed, delivered, heartbeat, lastFault } = child;
  const present = presentFault(child);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['process', `${state} for ${duration(nowMs - sinceMs)}`],
    ['pid', pid === undefined ? undefined : String(pid)],
    ['restarts', String(restarts)],
    ['memory', memory(child)],
    ['feed', feed && `${feed.state} for ${duration(nowMs - feed.sinceMs)}`],
    ['fault', present && `${present.code}: ${present.message}`],
    [
      'last exit',
      lastFault && `${lastFault.code}, ${duration(nowMs - lastFault.atMs)} ago: ${lastFault.message}`,
    ],
    ['delivered', delivered && `${delivered.lastMinute} frames in the last minute`],
    ['last confirmed', delivered && confirmedAgo(child, nowMs)],
    ['picture', delivered && size(child)],
    ['heartbeat', heartbeat && `${duration(nowMs - heartbeat.atMs)} ago`],
    ['completed', heartbeat && String(heartbeat.done)],
    ...Object.entries(heartbeat?.facts ?? {})
      // The feed is shown above.
      .filter(([fact]) => fact !== 'feed')
      .map(([fact, value]) => [fact, String(value)] as const),
  ];
  const known = rows.flatMap(([key, value]) => (value === undefined ? [] : [[`  ${key}`, value]]));
  return [...wrap(name, '', width), ...table(known, width)].join('\n');
}

/** A service belongs to the operator: a queue without consumers is not a problem of the daemon. */
function idleServicesLine({ children }: DaemonStatus): string[] {
  const facts = children.find(({ kind }) => kind === 'notifier')?.heartbeat?.facts ?? {};
  const idle = serviceFacts(facts).filter(({ consumers }) => consumers === 0);
  return idle.length === 0 ? [] : [`no-consumer: ${idle.map(({ service }) => service).join(', ')}`];
}

function head(
  status: DaemonStatus,
  cameras: readonly ChildStatus[],
  nowMs: number,
  { width, paint }: Style,
): string[] {
  const { pid, startedAtMs, ready, configuration, delivery, problems, clockUnset, fleet } = status;
  const { file, refused = file, faults = [] } = configuration;
  const streaming = cameras.filter(({ feed }) => feed?.state === 'streaming');
  return [
    ...[
      `daemon ${pid}, up ${duration(nowMs - startedAtMs)}, ${ready ? 'ready' : 'not ready yet'}`,
      ...(fleet === undefined
        ? []
        : [`node "${fleet.node}" of fleet "${fleet.fleet}" ${STATE_TEXTS[fleet.state]}`]),
      deliveryLine(delivery, nowMs),
      `cameras: ${streaming.length} of ${cameras.length} streaming`,
    ].flatMap((line) => wrap(line, '  ', width)),
    ...idleServicesLine(status).flatMap((line) => wrap(line, '  ', width).map((row) => paint('red', row))),
    ...problems.flatMap((problem) =>
      wrap(`unhealthy: ${problem}`, '  ', width).map((line) => paint('red', line)),
    ),
    ...fleetLines(configuration).flatMap((line) => wrap(line, '  ', width)),
    ...behindLine(configuration).flatMap((line) => wrap(line, '  ', width)),
    ...(clockUnset === undefined ? [] : ['', ...wrap(clockUnset, '', width)]),
    ...(faults.length === 0
      ? []
      : [
          '',
          ...wrap(
            `${refusalText(refused, configuration.refusal)}; the daemon keeps its previous configuration:`,
            '',
            width,
          ),
          ...faults.flatMap(({ path, problem }) => below(`${path}: ${problem}`, width)),
        ]),
  ];
}

function deliveryLine({ lastConfirmAtMs, waiting, oldestWaitingMs }: DeliveryStatus, nowMs: number): string {
  const confirm =
    lastConfirmAtMs === undefined
      ? 'nothing confirmed yet'
      : `last confirm ${duration(nowMs - lastConfirmAtMs)} ago`;
  const oldest = oldestWaitingMs === undefined ? '' : `, the oldest for ${duration(oldestWaitingMs)}`;
  const frames = `${waiting} ${waiting === 1 ? 'frame' : 'frames'} waiting`;
  return `delivery: ${confirm}; ${waiting === 0 ? 'no frames waiting' : frames + oldest}`;
}

/** On a node of a fleet. */
function fleetLines({ file, fleet }: DaemonStatus['configuration']): string[] {
  if (fleet === undefined) return [];
  const { revision, node, differs } = fleet;
  const cameras = `cameras: revision ${revision} of the fleet, published by node "${node}"`;
  return differs === undefined
    ? [cameras]
    : [cameras, `the cameras of ${file} differ from the fleet's, which are used: ${differs}`];
}

function behindLine({ behind }: DaemonStatus['configuration']): string[] {
  if (behind === undefined) return [];
  return [`configuration change: being applied, ${behind} ${behind === 1 ? 'process' : 'processes'} left`];
}

/** A table, each row with its last fault below; empty if there are no rows. */
function section(
  titles: readonly string[],
  children: readonly ChildStatus[],
  cells: (child: ChildStatus, nowMs: number) => readonly string[],
  nowMs: number,
  style: Style,
): string[] {
  if (children.length === 0) return [];
  const shown = children.map((child) => cells(child, nowMs));
  const [title = [], ...rows] = tableRows([titles, ...shown], style.width);
  return [
    '',
    ...title,
    ...children.flatMap((child, i) => [
      ...withState(rows[i] ?? [], shown[i]?.[1] ?? '', style),
      ...faultLines(child, nowMs, style),
    ]),
  ];
}

/** Colours the state in the lines of its row: aligned before, because a colour has characters but no width. */
function withState(lines: readonly string[], state: string, { paint }: Style): readonly string[] {
  const at = lines.findIndex((line) => line.includes(`  ${state}`));
  return lines.map((line, i) =>
    i === at ? line.replace(`  ${state}`, `  ${paint(COLOURS[state] ?? 'yellow', state)}`) : line,
  );
}

function processCells(child: ChildStatus, nowMs: number): readonly string[] {
  const { name, state, sinceMs, pid, restarts } = child;
  const age = duration(nowMs - sinceMs);
  return [name, state, age, pid === undefined ? '-' : String(pid), String(restarts), memory(child) ?? '-'];
}

function cameraCells(child: ChildStatus, nowMs: number): readonly string[] {
  const { name, feed, restarts, delivered, heartbeat } = child;
  // A feed that has begun has a state even after its process has ended.
  const { state, sinceMs } = feed ?? child;
  const { sampling, codec } = heartbeat?.facts ?? {};
  const video = [codec, size(child)].filter((part) => part !== undefined).join(' ');
  return [
    name.replace(/^camera:/, ''),
    state,
    duration(nowMs - sinceMs),
    delivered === undefined ? '-' : `${delivered.perSecond.toFixed(2)}/s`,
    confirmedAgo(child, nowMs),
    String(sampling ?? '-').replace('between-keyframes', 'between'),
    video === '' ? '-' : video,
    String(restarts),
  ];
}

function confirmedAgo({ delivered }: ChildStatus, nowMs: number): string {
  return delivered?.lastAtMs === undefined ? 'never' : `${duration(nowMs - delivered.lastAtMs)} ago`;
}

function size({ delivered }: ChildStatus): string | undefined {
  const { width, height } = delivered ?? {};
  return width === undefined || height === undefined ? undefined : `${width}x${height}`;
}

function memory({ heartbeat }: ChildStatus): string | undefined {
  return heartbeat && `${(heartbeat.memoryBytes / 1_048_576).toFixed(0)} MB`;
}

function presentFault({ feed, feedFault, heartbeat }: ChildStatus): FaultRecord | undefined {
  return feed?.fault ?? feedFault ?? heartbeat?.fault;
}

/** The child's current fault, else why its process last ended. */
function faultLines(child: ChildStatus, nowMs: number, { width }: Style): string[] {
  const [present, { lastFault }] = [presentFault(child), child];
  if (present !== undefined) return below(`${present.code}: ${present.message}`, width);
  if (lastFault === undefined) return [];
  return below(`${lastFault.code} ${duration(nowMs - lastFault.atMs)} ago: ${lastFault.message}`, width);
}
