/** `status`: what the running daemon knows of its children, as a table or as JSON. */
import { refusalWords } from '../config/faults';
import { print } from '../process/output';
import type { DaemonStatus } from '../supervisor/control-socket';
import type { DeliveryStatus } from '../supervisor/health';
import type { ChildStatus } from '../supervisor/status';
import type { Arguments } from './arguments';
import { askDaemon } from './ask-daemon';
import { EXIT } from './exit-codes';
import { duration, oneLine, table } from './table';

/**
 * Prints what is known, and returns the exit code: that of an unhealthy daemon where there is a problem.
 * @throws Fault `no-daemon`
 */
export async function status({ dataDir, json }: Arguments): Promise<number> {
  const found = (await askDaemon(dataDir, '/status')) as DaemonStatus;
  await print(`${json ? JSON.stringify(found, null, 2) : statusText(found, Date.now())}\n`);
  return found.problems.length === 0 ? EXIT.clean : EXIT.unhealthy;
}

/** The table an operator sees. */
export function statusText(
  { pid, startedAtMs, ready, configuration, delivery, problems, clockUnset, children }: DaemonStatus,
  nowMs: number,
): string {
  const head = `daemon ${String(pid)}, up ${duration(nowMs - startedAtMs)}, ${ready ? 'ready' : 'not ready yet'}`;
  const faults = (configuration.faults ?? []).map(({ path, problem }) => `  ${path}: ${problem}`);
  const wrong =
    faults.length === 0
      ? []
      : [
          `${refusalWords(configuration.file, configuration.refusal)}, the daemon runs what it had before:`,
          ...faults,
          '',
        ];
  const clock = clockUnset === undefined ? [] : [clockUnset, ''];
  const rows = children.map((child) => [
    child.name,
    child.state,
    duration(nowMs - child.sinceMs),
    child.pid === undefined ? '-' : String(child.pid),
    String(child.restarts),
    memory(child),
    work(child),
    fault(child, nowMs),
  ]);
  const titles = ['NAME', 'STATE', 'SINCE', 'PID', 'RESTARTS', 'MEMORY', 'WORK', 'LAST FAULT'];
  const unhealthy = problems.map((problem) => oneLine(`unhealthy: ${problem}`));
  const news = [head, deliveryLine(delivery, nowMs), camerasLine(children), ...unhealthy];
  return [...news, ...behindLine(configuration), '', ...clock, ...wrong, ...table([titles, ...rows])].join(
    '\n',
  );
}

function deliveryLine({ lastConfirmAtMs, waiting, oldestWaitingMs }: DeliveryStatus, nowMs: number): string {
  const confirm =
    lastConfirmAtMs === undefined
      ? 'nothing confirmed yet'
      : `last confirm ${duration(nowMs - lastConfirmAtMs)} ago`;
  const oldest = oldestWaitingMs === undefined ? '' : `, the oldest for ${duration(oldestWaitingMs)}`;
  const frames = `${String(waiting)} ${waiting === 1 ? 'frame waits' : 'frames wait'}`;
  return `delivery: ${confirm}; ${waiting === 0 ? 'nothing waits' : frames + oldest}`;
}

function camerasLine(children: readonly ChildStatus[]): string {
  const cameras = children.filter(({ kind }) => kind === 'camera');
  const streaming = cameras.filter(({ feed }) => feed?.state === 'streaming');
  return `cameras: ${String(streaming.length)} of ${String(cameras.length)} give pictures`;
}

function behindLine({ behind }: DaemonStatus['configuration']): string[] {
  if (behind === undefined) return [];
  return [
    `edit: being rolled out, ${String(behind)} ${behind === 1 ? 'process has' : 'processes have'} yet to take it over`,
  ];
}

function memory({ heartbeat }: ChildStatus): string {
  return heartbeat === undefined ? '-' : `${(heartbeat.memoryBytes / 1_048_576).toFixed(0)} MB`;
}

function work({ heartbeat }: ChildStatus): string {
  const facts = Object.entries(heartbeat?.facts ?? {});
  return facts.length === 0 ? '-' : facts.map(([name, value]) => `${name} ${String(value)}`).join(', ');
}

/** What troubles it now, else the last end of the process. */
function fault({ feed, heartbeat, lastFault }: ChildStatus, nowMs: number): string {
  const present = feed?.fault ?? heartbeat?.fault;
  if (present !== undefined) return `${present.code}: ${present.message}`;
  if (lastFault === undefined) return '-';
  return `${lastFault.code} ${duration(nowMs - lastFault.atMs)} ago: ${lastFault.message}`;
}
