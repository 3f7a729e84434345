/** What decodes a feed: the configured hardware, or software if the hardware does not start. Pure. */
import type { Hwaccel } from '../../../config/topology';
import type { FaultRecord } from '../../../fault/fault';

export interface Acceleration {
  /** ffmpeg's name of the hardware; undefined for software. */
  readonly current: Hwaccel | undefined;
  /** The next choices if the current one does not start. */
  readonly next: readonly Hwaccel[];
  /** Why the previous choices did not start. */
  readonly because: readonly string[];
}

/** What `auto` tries, in this order: each one that does not start costs one opening of the feed. */
const AUTO: Readonly<Partial<Record<NodeJS.Platform, readonly Hwaccel[]>>> = {
  linux: ['vaapi', 'cuda', 'qsv'],
  darwin: ['videotoolbox'],
};

/** The choice before the first opening. */
export function accelerationOf(wanted: Hwaccel | undefined, platform: NodeJS.Platform): Acceleration {
  const candidates = wanted === 'auto' ? (AUTO[platform] ?? []) : wanted === undefined ? [] : [wanted];
  return { current: candidates[0], next: candidates.slice(1), because: [] };
}

/** The choice after a fault; unchanged if it is not the hardware's. */
export function afterHardwareFault(acceleration: Acceleration, fault: FaultRecord): Acceleration {
  if (fault.code !== 'hwaccel') return acceleration;
  const [current, ...next] = acceleration.next;
  return { current, next, because: [...acceleration.because, fault.message] };
}

/** The current choice, with its reason, as text for operators. */
export function accelerationText({ current, because }: Acceleration): string {
  const reason = because.length === 0 ? '' : ` (${because.join('; ')})`;
  return `${current ?? 'software'}${reason}`;
}
