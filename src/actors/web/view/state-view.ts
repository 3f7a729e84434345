/** The API's view of the daemon. Pure. */
import type { DaemonStatus } from '../../../control/protocol';
import type { ApiCamera, ApiState, CameraCondition } from './api';
import { queueView } from './queue-view';

const NONE: Readonly<Record<CameraCondition, number>> = {
  delivering: 0,
  starting: 0,
  waiting: 0,
  offline: 0,
  quarantined: 0,
  disabled: 0,
};

export function stateView(
  { startedAtMs, ready, problems, delivery, children, clockUnset }: DaemonStatus,
  cameras: readonly ApiCamera[],
  version: string,
): ApiState {
  const counted = { ...NONE };
  for (const { condition } of cameras) counted[condition]++;
  const { waitingBytes = 0 } = children.find(({ kind }) => kind === 'store')?.heartbeat?.facts ?? {};
  const { waiting, oldestWaitingMs } = delivery;
  const queue = queueView(children.find(({ kind }) => kind === 'notifier')?.heartbeat?.facts ?? {});
  return {
    version,
    startedAt: startedAtMs,
    ready,
    problems: [...problems, ...(clockUnset === undefined ? [] : [clockUnset])],
    cameras: counted,
    spool: {
      waiting,
      bytes: Number(waitingBytes),
      ...(oldestWaitingMs === undefined ? {} : { oldestAgeMs: oldestWaitingMs }),
    },
    redis: serverView(children, 'store', 'redis'),
    rabbitmq: serverView(children, 'notifier', 'rabbitmq'),
    ...(queue === undefined ? {} : { queue }),
  };
}

/** The state of a server is that of the actor that uses it. */
function serverView(
  children: DaemonStatus['children'],
  kind: 'store' | 'notifier',
  fact: 'redis' | 'rabbitmq',
): ApiState['redis'] {
  const child = children.find((each) => each.kind === kind);
  const heartbeat = child?.state === 'running' ? child.heartbeat : undefined;
  const { fault, facts = {} } = heartbeat ?? {};
  const isReady = facts[fact] === 'ready';
  return { ready: isReady, ...(isReady || fault === undefined ? {} : { fault }) };
}
