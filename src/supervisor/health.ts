/** Whether the daemon does its work, and what keeps it from it. Pure. */
import { refusalWords } from '../config/faults';
import type { FaultRecord } from '../fault/fault';
import type { ConfigurationState } from './live-configuration';
import type { ChildStatus } from './status';

/** What becomes of the frames. */
export interface DeliveryStatus {
  /** When the broker last confirmed a frame, milliseconds since the epoch; undefined until it did. */
  readonly lastConfirmAtMs?: number;
  /** Frames that wait, and for how long the oldest has. */
  readonly waiting: number;
  readonly oldestWaitingMs?: number;
  /** What keeps them waiting now. */
  readonly fault?: FaultRecord;
}

/** Frames that wait for so long while nothing is confirmed are not delivered, whatever is said of the servers. */
const UNDELIVERED_MS = 10_000;

/** As the actors told it last, that is within a second. */
export function deliveryOf(
  children: readonly ChildStatus[],
  lastConfirmAtMs: number | undefined,
): DeliveryStatus {
  const [store, notifier] = ['store', 'notifier'].map((kind) =>
    children.find((child) => child.kind === kind),
  );
  const { waiting = 0, oldestWaitingMs } = store?.heartbeat?.facts ?? {};
  // The store knows what came of its last try, whichever server it failed at.
  const fault = store?.heartbeat?.fault ?? notifier?.heartbeat?.fault;
  return {
    ...(lastConfirmAtMs === undefined ? {} : { lastConfirmAtMs }),
    waiting: Number(waiting),
    ...(oldestWaitingMs === undefined ? {} : { oldestWaitingMs: Number(oldestWaitingMs) }),
    ...(fault === undefined ? {} : { fault }),
  };
}

export interface Observed {
  readonly ready: boolean;
  readonly configuration: ConfigurationState;
  readonly children: readonly ChildStatus[];
  readonly delivery: DeliveryStatus;
}

/** Why the daemon is not healthy, a sentence each; none when it is. Single cameras that are off are no reason. */
export function problemsOf({ ready, configuration, children, delivery }: Observed, nowMs: number): string[] {
  const cameras = children.filter(({ kind }) => kind === 'camera');
  const isBlind = cameras.length > 0 && !cameras.some(({ feed }) => feed?.state === 'streaming');
  const undelivered = undeliveredSentence(delivery, nowMs);
  return [
    ...(ready ? [] : ['not ready yet: Redis and RabbitMQ have not both answered since the start']),
    ...children.filter(isDown).map(downSentence),
    ...(undelivered === undefined ? [] : [undelivered]),
    ...(isBlind ? ['no camera gives pictures'] : []),
    ...(configuration.faults === undefined ? [] : [refusalWords(configuration.file, configuration.refusal)]),
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

/** Frames go on without the web actor. */
function isDown({ kind, state }: ChildStatus): boolean {
  return kind !== 'camera' && kind !== 'web' && state !== 'running';
}

function downSentence({ name, state, lastFault }: ChildStatus): string {
  return `${name} is ${state}${lastFault === undefined ? '' : `: it ${lastFault.message}`}`;
}
