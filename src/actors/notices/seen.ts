/** One look at the daemon: what notices are about. Pure. */
import type { SpoolSpec } from '../../config/topology';
import type { CameraCondition } from '../../contract/condition';
import type { DaemonStatus } from '../../control/protocol';
import type { FaultRecord } from '../../fault/fault';
import { conditionOf, faultOf, presentMs } from '../../supervisor/camera-condition';
import type { ChildStatus, ConfiguredCamera } from '../../supervisor/status';

export interface SeenCamera {
  readonly id: string;
  readonly tags: readonly string[];
  readonly condition: CameraCondition;
  /** When it began, milliseconds since the epoch. */
  readonly since: number;
  readonly fault?: FaultRecord;
  /** How long it may be silent without being offline. */
  readonly presentMs: number;
}

export interface Seen {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Milliseconds of the clock that is never set. */
  readonly clockMs: number;
  readonly cameras: readonly SeenCamera[];
  /** Processes that are not cameras'. */
  readonly actors: readonly {
    readonly name: string;
    readonly isQuarantined: boolean;
    readonly since: number;
    readonly fault?: FaultRecord;
  }[];
  /** How full the spool is by the bound it is nearest to, 0 to 1 or a little more; undefined while the store does not say. */
  readonly spoolShare?: number;
}

export function seenOf(
  { children, configuration }: Pick<DaemonStatus, 'children' | 'configuration'>,
  configured: readonly ConfiguredCamera[],
  spool: Pick<SpoolSpec, 'maxBytes' | 'maxFrames' | 'maxAgeMs'>,
  { atMs, clockMs }: Pick<Seen, 'atMs' | 'clockMs'>,
): Seen {
  const byName = new Map(children.map((child) => [child.name, child]));
  const spoolShare = shareOf(
    children.find(({ kind }) => kind === 'store'),
    spool,
  );
  return {
    ...{ atMs, clockMs },
    cameras: configured.map(({ id, enabled, tags = [], periodMs }) => {
      const child = byName.get(`camera:${id}`);
      const { appliedAtMs } = configuration;
      const fault = recordOf(faultOf(child));
      return {
        ...{ id, tags, presentMs: presentMs(periodMs) },
        ...conditionOf({ enabled, periodMs, child, appliedAtMs, nowMs: atMs }),
        ...(fault === undefined ? {} : { fault }),
      };
    }),
    actors: children
      .filter(({ kind }) => kind !== 'camera')
      .map(({ name, state, sinceMs, lastFault }) => {
        const fault = recordOf(lastFault);
        return {
          ...{ name, isQuarantined: state === 'quarantined', since: sinceMs },
          ...(fault === undefined ? {} : { fault }),
        };
      }),
    ...(spoolShare === undefined ? {} : { spoolShare }),
  };
}

function recordOf(fault: FaultRecord | undefined): FaultRecord | undefined {
  return fault === undefined ? undefined : { code: fault.code, message: fault.message };
}

function shareOf(
  store: ChildStatus | undefined,
  { maxBytes, maxFrames, maxAgeMs }: Pick<SpoolSpec, 'maxBytes' | 'maxFrames' | 'maxAgeMs'>,
): number | undefined {
  const facts = store?.state === 'running' ? store.heartbeat?.facts : undefined;
  const { waiting, waitingBytes = 0, oldestWaitingMs = 0 } = facts ?? {};
  if (waiting === undefined) return undefined;
  return Math.max(
    Number(waiting) / maxFrames,
    Number(waitingBytes) / maxBytes,
    Number(oldestWaitingMs) / maxAgeMs,
  );
}
