/** Whether the daemon does its work, and if not, why. Pure. */
import { refusalText } from '../config/faults';
import type { FaultRecord } from '../fault/fault';
import type { ConfigurationState } from './live-configuration';
import type { ChildStatus } from './status';

/** The delivery of frames. */
export interface DeliveryStatus {
  /** When the broker last confirmed a frame, milliseconds since the epoch; undefined until it did. */
  readonly lastConfirmAtMs?: number | undefined;
  /** Frames that are waiting, and how long the oldest has waited. */
  readonly waiting: number;
  readonly oldestWaitingMs?: number | undefined;
  /** Why they wait now. */
  readonly fault?: FaultRecord | undefined;
}

/** Frames that wait longer than this while nothing is confirmed count as undelivered, whatever state the servers report. */
const UNDELIVERED_MS = 10_000;

/** Derived from the last heartbeats of the actors, at most a second old. */
export function deliveryOf(
  children: readonly ChildStatus[],
  lastConfirmAtMs: number | undefined,
): DeliveryStatus {
  const [store, notifier] = ['store', 'notifier'].map((kind) =>
    children.find((child) => child.kind === kind),
  );
  const { waiting = 0, oldestWaitingMs } = store?.heartbeat?.facts ?? {};
  // The store knows the outcome of its last attempt, whichever server it failed at.
  const fault = store?.heartbeat?.fault ?? notifier?.heartbeat?.fault;
  return {
    lastConfirmAtMs,
    waiting: Number(waiting),
    oldestWaitingMs: oldestWaitingMs === undefined ? undefined : Number(oldestWaitingMs),
    fault,
  };
}

export interface Observed {
  readonly ready: boolean;
  readonly configuration: ConfigurationState;
  readonly children: readonly ChildStatus[];
  readonly delivery: DeliveryStatus;
}

/** Why the daemon is not healthy, one sentence per reason; empty if it is. Single cameras that are off do not count. */
export function problemsOf({ ready, configuration, children, delivery }: Observed, nowMs: number): string[] {
  const cameras = children.filter(({ kind }) => kind === 'camera');
  const isBlind = cameras.length > 0 && !cameras.some(({ feed }) => feed?.state === 'streaming');
  const undelivered = undeliveredSentence(delivery, nowMs);
  return [
    ...(ready ? [] : ['not ready yet: Redis and RabbitMQ have not both answered since the start']),
    ...children.filter(isDown).map(downSentence),
    ...(undelivered === undefined ? [] : [undelivered]),
    ...(isBlind ? ['no camera delivers pictures'] : []),
    ...(configuration.faults === undefined
      ? []
      : [refusalText(configuration.refused ?? configuration.file, configuration.refusal)]),
  ];
}

function undeliveredSentence(
  { fault, waiting, oldestWaitingMs = 0, lastConfirmAtMs = 0 }: DeliveryStatus,
  nowMs: number,
): string | undefined {
  if (fault !== undefined) return `frames are not delivered: ${fault.message}`;
  if (waiting === 0 || oldestWaitingMs <= UNDELIVERED_MS || nowMs - lastConfirmAtMs <= UNDELIVERED_MS)
    return undefined;
  return `frames are not delivered: none was confirmed for more than ${UNDELIVERED_MS / 1000} s, and no server says why`;
}

/** Frames are delivered without web and notices. */
function isDown({ kind, state }: ChildStatus): boolean {
  return !['camera', 'web', 'notices'].includes(kind) && state !== 'running';
}

function downSentence({ name, state, lastFault }: ChildStatus): string {
  return `${name} is ${state}${lastFault === undefined ? '' : `: it ${lastFault.message}`}`;
}
