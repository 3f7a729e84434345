/** Sentences about cameras in trouble. Pure. */
import type { FaultRecord } from '../../fault/fault';

/** In the largest unit that leaves two digits of use: `75 s`, `12 min`, `3 h`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

export function troubleSentence(
  kind: 'offline' | 'quarantined' | 'spool' | 'recovered',
  camera: string,
  ms: number,
  fault: FaultRecord | undefined,
): string {
  const why = fault === undefined ? '' : `: ${fault.message}`;
  if (kind === 'offline') return `camera ${camera} has delivered no picture for ${duration(ms)}${why}`;
  return `camera ${camera} is quarantined, as its process ended too often${why}`;
}
