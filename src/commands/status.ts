/** `status`: what the running daemon knows of its children, as a table or as JSON. */
import type { DaemonStatus } from '../supervisor/control-socket';
import type { ChildStatus } from '../supervisor/status';
import type { Arguments } from './arguments';
import { askDaemon } from './ask-daemon';
import { duration, table } from './table';

/** @throws Fault `no-daemon` */
export async function status({ dataDir, json }: Arguments): Promise<string> {
  const found = (await askDaemon(dataDir, '/status')) as DaemonStatus;
  return json ? JSON.stringify(found, null, 2) : statusText(found, Date.now());
}

/** The table an operator sees. */
export function statusText(
  { pid, startedAtMs, ready, configuration, clockUnset, children }: DaemonStatus,
  nowMs: number,
): string {
  const head = `daemon ${String(pid)}, up ${duration(nowMs - startedAtMs)}, ${ready ? 'ready' : 'not ready yet'}`;
  const faults = (configuration.faults ?? []).map(({ path, problem }) => `  ${path}: ${problem}`);
  const wrong =
    faults.length === 0
      ? []
      : [`${configuration.file} is not valid, the daemon runs what it had before:`, ...faults, ''];
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
  return [head, '', ...clock, ...wrong, ...table([titles, ...rows])].join('\n');
}

function memory({ heartbeat }: ChildStatus): string {
  return heartbeat === undefined ? '-' : `${(heartbeat.memoryBytes / 1_048_576).toFixed(0)} MB`;
}

function work({ heartbeat }: ChildStatus): string {
  const facts = Object.entries(heartbeat?.facts ?? {});
  return facts.length === 0 ? '-' : facts.map(([name, value]) => `${name} ${String(value)}`).join(', ');
}

/** What troubles the feed now, else the last end of the process. */
function fault({ feed, lastFault }: ChildStatus, nowMs: number): string {
  if (feed?.fault !== undefined) return `${feed.fault.code}: ${feed.fault.message}`;
  if (lastFault === undefined) return '-';
  return `${lastFault.code} ${duration(nowMs - lastFault.atMs)} ago: ${lastFault.message}`;
}
